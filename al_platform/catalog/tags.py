"""Tags, coded by dictionary: what many frames carry alike is kept once, and filtered as one whole number a frame.

A frame has a `tag_set`, the number of the tags that it shares with others, and `own_tags`, the JSON of the rest. A
name is shared until it has shown more than SHARED_VALUES different values; from then on frames keep it as their own.
"""

import json
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acquisition import NO_GROUP
from al_platform.catalog.tables import table_of, visible
from al_platform.catalog.transaction import Transaction
from al_platform.domain.data import TagValue
from al_platform.errors import InvalidInput

SHARED_VALUES = 64

_PAIRS = "SELECT text, key AS name, CAST(value AS VARCHAR) AS value, type FROM texts, json_each(texts.text)"

_KNOWN_PAIRS = "SELECT key AS name, CAST(value AS VARCHAR) AS value FROM tag_sets, json_each(tag_sets.tags)"

_FEW = f"""
SELECT name, count(*) <= {SHARED_VALUES} AS few
FROM (SELECT name, value FROM pairs UNION SELECT * FROM ({_KNOWN_PAIRS})) GROUP BY name
"""

_ONE_TAG = "to_json(name) || ':' || value, ',' ORDER BY name"

_SPLIT = f"""
SELECT text,
    '{{' || coalesce(string_agg({_ONE_TAG}) FILTER (shared), '') || '}}' AS tags,
    '{{' || string_agg({_ONE_TAG}) FILTER (NOT shared) || '}}' AS own_tags
FROM pairs JOIN tag_names USING (name) GROUP BY text
"""

_NEW_SETS = """
INSERT INTO tag_sets
SELECT (SELECT max(tag_set) FROM tag_sets) + row_number() OVER (ORDER BY tags), tags
FROM (SELECT DISTINCT tags FROM split) ANTI JOIN tag_sets USING (tags)
"""

_GROUPS = """
SELECT dense_rank() OVER (ORDER BY value NULLS LAST) - 1 AS code, value IS NULL AS alone
FROM (
    SELECT place, coalesce({shared}, {own}) AS value
    FROM wanted LEFT JOIN frames ON id = frame_id LEFT JOIN tag_sets USING (tag_set)
) ORDER BY place
"""

_VALUE = (
    "CASE WHEN json_type({tags}, $path) IN ('UBIGINT', 'BIGINT', 'DOUBLE') "
    "THEN CAST(CAST(json_extract_string({tags}, $path) AS DOUBLE) AS VARCHAR) "
    "ELSE json_extract_string({tags}, $path) END"
)


def tags_of(row: Mapping[str, object]) -> dict[str, TagValue]:
    """Give the tags of a frame by name, from its `own_tags` and the `shared_tags` of its set."""
    own = json.loads(str(row["own_tags"])) if row["own_tags"] else {}
    return {**json.loads(str(row["shared_tags"])), **own}


def known_tags(tx: Transaction) -> list[str]:
    """Give the names of all tags that any frame carries, sorted."""
    return [row[0] for row in tx.execute("SELECT name FROM tag_names ORDER BY name").fetchall()]


def require_known_tag(tx: Transaction, name: str) -> None:
    """Refuse a tag that no frame carries.

    Raises: InvalidInput listing the known names.
    """
    known = known_tags(tx)
    if name not in known:
        raise InvalidInput(f"tag {name!r}: no frame carries it; known are {', '.join(known) or 'none'}")


def tag_groups(tx: Transaction, name: str, frame_ids: pa.ChunkedArray) -> NDArray[np.int64]:
    """Give a code for each of these frames, int [N]: equal where the values of a tag are, NO_GROUP without the tag.

    Numbers are equal as numbers, 60 and 60.0.

    Raises: as `require_known_tag`.
    """
    require_known_tag(tx, name)
    places = pa.array(np.arange(len(frame_ids)))
    values = (_VALUE.format(tags=tags) for tags in ("tags", "own_tags"))
    with visible(tx, "wanted", pa.table({"id": frame_ids, "place": places})):
        sql = _GROUPS.format(**dict(zip(("shared", "own"), values, strict=True)))
        coded = tx.execute(sql, {"path": pointer_of(name)}).to_arrow_table()
    return np.where(coded["alone"].to_numpy(), NO_GROUP, coded["code"].to_numpy())


def pointer_of(tag: str) -> str:
    """Give the JSON pointer (RFC 6901) of a tag."""
    return "/" + tag.replace("~", "~0").replace("/", "~1")


def code_tags(tx: Transaction, texts: pa.Table) -> pa.Table:
    """Code tags: from the column `text`, each JSON text once, to the columns text, tag_set and own_tags.

    Texts without a tag are left out. Names and sets that are new are entered.

    Raises: InvalidInput for a text that is not one JSON object of texts and finite numbers.
    """
    with visible(tx, "texts", texts):
        _require_objects(tx)
        pairs = table_of(tx, _PAIRS)
    with visible(tx, "pairs", pairs):
        _require_plain(tx)
        _enter_names(tx)
        split = table_of(tx, _SPLIT)
    with visible(tx, "split", split):
        tx.execute(_NEW_SETS).fetchall()
        return table_of(tx, "SELECT text, tag_set, own_tags FROM split JOIN tag_sets USING (tags)")


def _require_objects(tx: Transaction) -> None:
    wrong = tx.execute(
        "SELECT text FROM texts WHERE NOT json_valid(text) OR json_type(text) <> 'OBJECT' LIMIT 1"
    ).fetchall()
    if wrong:
        raise InvalidInput(f"tags {wrong[0][0]!r}: write one JSON object of names to texts and numbers")


def _require_plain(tx: Transaction) -> None:
    wrong = tx.execute(
        "SELECT text, name FROM pairs GROUP BY text, name HAVING count(*) > 1 OR any_value(type) <> 'VARCHAR' "
        "AND (any_value(type) NOT IN ('UBIGINT', 'BIGINT', 'DOUBLE') "
        "OR NOT isfinite(TRY_CAST(any_value(value) AS DOUBLE))) ORDER BY ALL LIMIT 1"
    ).fetchall()
    if wrong:
        raise InvalidInput(f"tags {wrong[0][0]!r}: tag {wrong[0][1]!r} must be named once, a text or a finite number")


def _enter_names(tx: Transaction) -> None:
    with visible(tx, "few", table_of(tx, _FEW)):
        tx.execute("INSERT INTO tag_names SELECT name, few FROM few ANTI JOIN tag_names USING (name)").fetchall()
        many = "SELECT name FROM few WHERE NOT few"
        if tx.execute(f"SELECT count(*) FROM tag_names WHERE shared AND name IN ({many})").fetchall()[0][0]:
            tx.execute(f"UPDATE tag_names SET shared = FALSE WHERE shared AND name IN ({many})")
