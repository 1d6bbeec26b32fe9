"""Scenarios: which there are, where they lie, and which files they came from."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from acquisition import NO_GROUP
from al_platform.catalog.connection import Transaction
from al_platform.catalog.filters import SCENARIOS, parse_filter
from al_platform.catalog.pages import page_of
from al_platform.catalog.tables import insert_missing, insert_or_replace, rows_of, table_of, visible, wanted_ids
from al_platform.domain.hashing import canonical_json
from al_platform.domain.holding_out import held_out_among
from al_platform.domain.paging import Page, PageRequest
from al_platform.domain.records import record_from_json
from al_platform.domain.scenarios import ScenarioReference, ScenarioSource
from al_platform.errors import InvalidInput, NotFound

_ORDER = {"session_id": str, "name": str, "scenario_id": str}
_PLAIN = (
    *("scenario_id", "dataset", "session_id", "name", "origin", "source_id", "steps", "agents", "vehicles"),
    *("pedestrians", "cyclists", "lights", "stop_signs", "route_m", "driven_m", "shard", "shard_row"),
)


def add_sources(tx: Transaction, sources: Sequence[ScenarioSource], scenarios: Sequence[ScenarioReference]) -> int:
    """Enter files that were read, and their scenarios with their sessions; gives how many scenarios were new.

    A scenario that is known already is found from now on where it lies now.
    """
    sessions = {scenario.session_id: scenario.dataset for scenario in scenarios}
    insert_missing(tx, "sessions", {"session_id": list(sessions), "dataset": list(sessions.values())})
    unique = {scenario.scenario_id: scenario for scenario in scenarios}
    with wanted_ids(tx, list(unique)):
        known = tx.execute("SELECT count(*) FROM wanted SEMI JOIN scenarios ON id = scenario_id").fetchall()[0][0]
    columns: dict[str, list[Any]] = {name: [getattr(each, name) for each in unique.values()] for name in _PLAIN}
    columns["tags"] = [canonical_json(dict.fromkeys(each.tags, 1)) for each in unique.values()]
    columns["report"] = [canonical_json(each.report) for each in unique.values()]
    insert_or_replace(tx, "scenarios", columns)
    insert_or_replace(
        tx,
        "scenario_sources",
        {
            "source_id": [source.source_id for source in sources],
            "record": [canonical_json(source) for source in sources],
        },
    )
    return len(unique) - int(known)


def sources_known(tx: Transaction, source_ids: Sequence[str]) -> dict[str, ScenarioSource]:
    """Give those of these files that were read to their end, by id."""
    with wanted_ids(tx, source_ids):
        rows = tx.execute(
            "SELECT source_id, record FROM scenario_sources SEMI JOIN wanted ON id = source_id"
        ).fetchall()
    return {source_id: record_from_json(ScenarioSource, record) for source_id, record in rows}


def scenarios_of_sources(tx: Transaction, sources: Sequence[ScenarioSource]) -> list[ScenarioReference]:
    """Give the scenarios of these files, each once, by session and name."""
    ids = [scenario_id for source in sources for scenario_id in source.scenarios]
    with wanted_ids(tx, ids):
        sql = f"SELECT * FROM scenarios WHERE scenario_id IN (SELECT id FROM wanted) ORDER BY {', '.join(_ORDER)}"
        return [_scenario(row) for row in rows_of(tx, sql)]


def scenarios_page(tx: Transaction, filter_text: str, page: PageRequest) -> Page[ScenarioReference]:
    """Give scenarios that a filter matches, by session, within it by name.

    Raises: InvalidInput for a filter that does not parse.
    """
    where = parse_filter(tx, filter_text, of=SCENARIOS)
    return page_of(tx, "scenarios", page=page, order=_ORDER, make=_scenario, where=where)


def scenarios_matching(tx: Transaction, filter_text: str) -> pa.Table:
    """Scenarios that a filter matches: scenario_id, session_id, name, shard and shard_row, by session and name.

    Raises: InvalidInput for a filter that does not parse.
    """
    where = parse_filter(tx, filter_text, of=SCENARIOS)
    columns, order = "scenario_id, session_id, name, shard, shard_row", ", ".join(_ORDER)
    return table_of(tx, f"SELECT {columns} FROM scenarios WHERE {where.sql} ORDER BY {order}", where.values)


def scenarios_matching_among(tx: Transaction, text: str, scenario_ids: Sequence[str]) -> set[str]:
    """Give those of these scenarios that a filter matches; the empty one matches all that the catalog knows.

    Raises: InvalidInput for a filter that does not parse.
    """
    where = parse_filter(tx, text, of=SCENARIOS)
    with wanted_ids(tx, scenario_ids):
        sql = f"SELECT scenario_id FROM scenarios WHERE ({where.sql}) AND scenario_id IN (SELECT id FROM wanted)"
        return {row[0] for row in tx.execute(sql, list(where.values)).fetchall()}


def scenarios_in_pool(tx: Transaction, filter_text: str) -> pa.Table:
    """Scenarios that a filter matches, as a pool lists them.

    Columns: item_id, session_id, session (int32, counts the sessions from 0 in this order), timestamp_s (null: scenes
    of a session may come from any time). Ordered by session, name and id.

    Raises: InvalidInput for a filter that does not parse.
    """
    where = parse_filter(tx, filter_text, of=SCENARIOS)
    return table_of(
        tx,
        "SELECT scenario_id AS item_id, session_id, CAST(dense_rank() OVER (ORDER BY session_id) - 1 AS INTEGER) AS "
        f"session, CAST(NULL AS DOUBLE) AS timestamp_s FROM scenarios WHERE {where.sql} "
        f"ORDER BY {', '.join(_ORDER)}",
        where.values,
    )


def scenarios_named(tx: Transaction, scenario_ids: Sequence[str]) -> dict[str, ScenarioReference]:
    """Give the scenarios of these ids, in the order asked for.

    Raises: NotFound for an id that the catalog lacks.
    """
    with wanted_ids(tx, scenario_ids):
        rows = rows_of(tx, "SELECT * FROM scenarios WHERE scenario_id IN (SELECT id FROM wanted)")
    found = {row["scenario_id"]: _scenario(row) for row in rows}
    for scenario_id in scenario_ids:
        if scenario_id not in found:
            raise NotFound(f"scenario {scenario_id}: not in the catalog; `alp scenarios list` shows those that are")
    return {scenario_id: found[scenario_id] for scenario_id in scenario_ids}


def scenarios_held_out(tx: Transaction, scenario_ids: Sequence[str], share: float) -> set[str]:
    """Give those of these scenarios that a share of their sessions holds out: see `held_out_among`.

    Raises: NotFound for an id that the catalog lacks.
    """
    if not share:
        return set()
    sessions = {name: scene.session_id for name, scene in scenarios_named(tx, scenario_ids).items()}
    return held_out_among(sessions, share)


def scenario_groups(tx: Transaction, name: str, scenario_ids: pa.ChunkedArray) -> NDArray[np.int64]:
    """Give 0 for each of these scenarios that carries a tag and NO_GROUP for the others, int [N].

    Raises: InvalidInput for a tag that no scenario carries.
    """
    require_known_scenario_tag(tx, name)
    with visible(tx, "asked", pa.table({"id": scenario_ids})):
        tagged = table_of(
            tx,
            "SELECT scenario_id FROM scenarios SEMI JOIN asked ON id = scenario_id "
            "WHERE list_contains(json_keys(tags), ?)",
            [name],
        )["scenario_id"]
    return np.where(pc.is_in(scenario_ids, value_set=tagged).to_numpy(), 0, NO_GROUP)


def require_known_scenario_tag(tx: Transaction, name: str) -> None:
    """Check that at least one scenario carries a tag.

    Raises: InvalidInput listing the known tags.
    """
    known = SCENARIOS.tag_names(tx)
    if name not in known:
        raise InvalidInput(f"tag {name!r}: no scenario carries it; known are {', '.join(known) or 'none'}")


def scenarios_of_filter(tx: Transaction, filter_text: str) -> list[ScenarioReference]:
    """Give every scenario that a filter matches, by session, within it by name.

    Raises: InvalidInput for a filter that does not parse.
    """
    where = parse_filter(tx, filter_text, of=SCENARIOS)
    sql = f"SELECT * FROM scenarios WHERE {where.sql} ORDER BY {', '.join(_ORDER)}"
    return [_scenario(row) for row in rows_of(tx, sql, list(where.values))]


def count_scenarios(tx: Transaction, filter_text: str) -> tuple[int, int]:
    """Give how many scenarios and sessions a filter matches.

    Raises: InvalidInput for a filter that does not parse.
    """
    where = parse_filter(tx, filter_text, of=SCENARIOS)
    sql = f"SELECT count(*), count(DISTINCT session_id) FROM scenarios WHERE {where.sql}"
    counted = tx.execute(sql, list(where.values)).fetchall()[0]
    return int(counted[0]), int(counted[1])


def scenario_named(tx: Transaction, scenario_id: str) -> ScenarioReference:
    """Give one scenario.

    Raises: NotFound for an unknown id.
    """
    rows = rows_of(tx, "SELECT * FROM scenarios WHERE scenario_id = ?", [scenario_id])
    if not rows:
        raise NotFound(f"scenario {scenario_id}: not in the catalog; `alp scenarios list` shows those that are")
    return _scenario(rows[0])


def _scenario(row: Mapping[str, Any]) -> ScenarioReference:
    return ScenarioReference(
        **{name: row[name] for name in _PLAIN}, tags=tuple(json.loads(row["tags"])), report=json.loads(row["report"])
    )
