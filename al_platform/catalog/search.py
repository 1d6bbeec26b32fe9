"""Search over names: a text is looked for in ids, names and purposes, as it is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from al_platform.catalog.connection import Transaction
from al_platform.catalog.pages import page_of
from al_platform.catalog.tables import rows_of
from al_platform.domain.paging import Page, PageRequest


@dataclass(frozen=True)
class Hit:
    """Something whose id or name holds the text."""

    kind: str
    id: str
    summary: str


_NAMED = """
SELECT 'session' AS kind, session_id AS id, dataset AS summary FROM sessions
UNION ALL SELECT 'pool', pool_id, filter FROM pools
UNION ALL SELECT 'dataset version', version_id, purpose FROM dataset_versions
UNION ALL SELECT 'ensemble', ensemble_id, ensemble->>'$.spec.family' FROM ensembles
UNION ALL SELECT 'round', round_id, (spec->>'$.strategy.name') || ', ' || state FROM rounds
UNION ALL SELECT 'experiment', experiment_id, spec->>'$.name' FROM experiments
"""


def hits(tx: Transaction, text: str, *, limit: int) -> list[Hit]:
    """Give what carries the text in its id or summary, letters of either case, by kind and id.

    Frames, labels and tasks are found by their whole id.
    """
    rows = rows_of(
        tx,
        f"SELECT kind, id, summary FROM ({_NAMED} "
        "UNION ALL SELECT 'frame', frame_id, dataset || ', ' || session_id FROM frames WHERE frame_id = ? "
        "UNION ALL SELECT 'label', annotation_id, source FROM annotations WHERE annotation_id = ? "
        "UNION ALL SELECT 'task', task_id, for_class || ', ' || state FROM tasks WHERE task_id = ?) "
        "WHERE contains(lower(id), lower(?)) OR contains(lower(summary), lower(?)) ORDER BY kind, id LIMIT ?",
        [text, text, text, text, text, limit],
    )
    return [Hit(row["kind"], row["id"], row["summary"] or "") for row in rows]


@dataclass(frozen=True)
class TagSummary:
    """A tag, how many frames carry it, and its most frequent values."""

    name: str
    frames: int
    values: tuple[str, ...]


_SHOWN_VALUES = 20


_TAGS = (
    "(WITH sets AS (SELECT tag_set, count(*) AS frames FROM frames GROUP BY tag_set), "
    "shown AS (SELECT key, value, frames FROM sets JOIN tag_sets USING (tag_set), json_each(tag_sets.tags) "
    "UNION ALL SELECT key, value, 1 FROM frames, json_each(own_tags) WHERE own_tags IS NOT NULL), "
    "counted AS (SELECT key AS name, value->>'$' AS value, sum(frames) AS frames FROM shown GROUP BY ALL) "
    "SELECT name, sum(frames)::BIGINT AS frames, "
    f"list(value ORDER BY frames DESC, value)[:{_SHOWN_VALUES}] AS found FROM counted GROUP BY name)"
)


def tags_page(tx: Transaction, page: PageRequest) -> Page[TagSummary]:
    """Give tags of frames, by name."""
    return page_of(tx, _TAGS, page=page, order={"name": str}, make=_tag)


def _tag(row: Mapping[str, Any]) -> TagSummary:
    return TagSummary(row["name"], row["frames"], tuple(row["found"]))
