"""Lists for people and programs that look around: one page at a time, in an order that stays."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from al_platform.catalog.connection import Transaction
from al_platform.catalog.filters import Condition, parse_filter
from al_platform.catalog.frames import unlabelled_where
from al_platform.catalog.pages import page_of
from al_platform.catalog.tables import rows_of, wanted_ids
from al_platform.catalog.tags import tags_of
from al_platform.domain.data import TagValue
from al_platform.domain.paging import LARGEST_PAGE, Page, PageRequest
from al_platform.errors import NotFound

_WHEN = "strftime(created_at, '%Y-%m-%d %H:%M:%S.%f') AS created_at"
_NEWEST = {"created_at": str}


@dataclass(frozen=True)
class FrameSummary:
    """A frame and what ingest measured: mean brightness (0-255), sharpness (variance of the Laplacian), if at all."""

    frame_id: str
    dataset: str
    session_id: str
    frame_number: int
    timestamp_s: float | None
    width: int
    height: int
    brightness: float | None
    sharpness: float | None
    image_hash: str
    media_type: str
    tags: Mapping[str, TagValue]


@dataclass(frozen=True)
class SessionSummary:
    """A drive and how many frames of it there are."""

    session_id: str
    dataset: str
    frames: int


@dataclass(frozen=True)
class VersionSummary:
    """A dataset version and when it was made (UTC)."""

    version_id: str
    parent_id: str | None
    items: int
    added: int
    purpose: str
    round_id: str | None
    created_at: str


@dataclass(frozen=True)
class PoolSummary:
    """A frozen pool and the filter that described it."""

    pool_id: str
    filter: str
    frames: int
    created_at: str


@dataclass(frozen=True)
class LabelSummary:
    """A label that was bought, without its contents."""

    annotation_id: str
    item_id: str
    task_id: str | None
    revision: int
    source: str
    created_at: str


_FRAME_ORDER = {"session_id": str, "frame_number": int, "frame_id": str}
_PLAIN = tuple(field.name for field in fields(FrameSummary) if field.name != "tags")
_FRAMES = (
    f"(SELECT {', '.join(_PLAIN)}, tag_set, own_tags, tag_sets.tags AS shared_tags "
    "FROM frames JOIN tag_sets USING (tag_set))"
)


def frames_page(
    tx: Transaction, filter_text: str, page: PageRequest, *, unlabelled: bool = False
) -> Page[FrameSummary]:
    """Give frames that a filter matches, all or those nobody ever labelled, by session, within it by number.

    Raises: InvalidInput for a filter that does not parse.
    """
    where = unlabelled_where(tx, filter_text) if unlabelled else parse_filter(tx, filter_text)
    last = _session_of_a_full_page(tx, page)
    if last is not None:  # reading a few sessions is faster than ordering all frames
        among = Condition(f"({where.sql}) AND session_id <= ?", (*where.values, last))
        found = page_of(tx, _FRAMES, page=page, order=_FRAME_ORDER, make=_frame, where=among)
        if found.after is not None:
            return found
    return page_of(tx, _FRAMES, page=page, order=_FRAME_ORDER, make=_frame, where=where)


def _session_of_a_full_page(tx: Transaction, page: PageRequest) -> str | None:
    """The session by which a page is full if every frame matches, as each session has one; None near the end."""
    first = page.after[0] if page.after and isinstance(page.after[0], str) else ""
    rows = tx.execute(
        "SELECT session_id FROM sessions WHERE session_id >= ? ORDER BY session_id LIMIT 1 OFFSET ?",
        [first, min(max(page.limit, 1), LARGEST_PAGE) + 1],
    ).fetchall()
    return str(rows[0][0]) if rows else None


def frame_summary(tx: Transaction, frame_id: str) -> FrameSummary:
    """Give one frame.

    Raises: NotFound for an unknown id.
    """
    rows = rows_of(tx, f"SELECT * FROM {_FRAMES} WHERE frame_id = ?", [frame_id])
    if not rows:
        raise NotFound(f"frame {frame_id}: not in the catalog")
    return _frame(rows[0])


def sessions_page(tx: Transaction, dataset: str, page: PageRequest) -> Page[SessionSummary]:
    """Give sessions by id, of one dataset or, where it is empty, of all."""
    where = Condition("? = '' OR dataset = ?", (dataset, dataset))
    found = page_of(tx, "sessions", page=page, order={"session_id": str}, make=dict, where=where)
    with wanted_ids(tx, [session["session_id"] for session in found.items]):
        counted = tx.execute(
            "SELECT session_id, count(*) FROM frames WHERE session_id IN (SELECT id FROM wanted) GROUP BY session_id"
        ).fetchall()
    frames = dict(counted)
    return Page(tuple(_session(row, frames) for row in found.items), found.after)


def session_named(tx: Transaction, session_id: str) -> SessionSummary:
    """Give one session.

    Raises: NotFound for an unknown id.
    """
    rows = rows_of(tx, "SELECT session_id, dataset FROM sessions WHERE session_id = ?", [session_id])
    if not rows:
        raise NotFound(f"session {session_id}: not in the catalog")
    counted = tx.execute("SELECT count(*) FROM frames WHERE session_id = ?", [session_id]).fetchall()
    return _session(rows[0], {session_id: counted[0][0]})


def versions_page(tx: Transaction, page: PageRequest) -> Page[VersionSummary]:
    """Give dataset versions, newest first."""
    source = f"(SELECT version_id, parent_id, items, added, purpose, round_id, {_WHEN} FROM dataset_versions)"
    order = {**_NEWEST, "version_id": str}
    return page_of(tx, source, page=page, order=order, make=lambda row: VersionSummary(**row), newest_first=True)


def pools_page(tx: Transaction, page: PageRequest) -> Page[PoolSummary]:
    """Give pools, newest first."""
    source = f"(SELECT pool_id, filter, frames, {_WHEN} FROM pools)"
    order = {**_NEWEST, "pool_id": str}
    return page_of(tx, source, page=page, order=order, make=lambda row: PoolSummary(**row), newest_first=True)


def labels_page(tx: Transaction, item_id: str, page: PageRequest) -> Page[LabelSummary]:
    """Give labels, newest first, of one item or, where it is empty, of all."""
    source = f"(SELECT annotation_id, item_id, task_id, revision, source, {_WHEN} FROM annotations)"
    return page_of(
        tx,
        source,
        page=page,
        order={**_NEWEST, "annotation_id": str},
        make=lambda row: LabelSummary(**row),
        where=Condition("? = '' OR item_id = ?", (item_id, item_id)),
        newest_first=True,
    )


def ensemble_ids_page(tx: Transaction, page: PageRequest) -> Page[str]:
    """Give the ids of ensembles, newest first."""
    source = f"(SELECT ensemble_id, {_WHEN} FROM ensembles)"
    order = {**_NEWEST, "ensemble_id": str}
    return page_of(tx, source, page=page, order=order, make=lambda row: str(row["ensemble_id"]), newest_first=True)


def round_ids_page(tx: Transaction, state: str, page: PageRequest) -> Page[str]:
    """Give the ids of rounds, newest first, in one state or, where it is empty, in any."""
    source = f"(SELECT round_id, state, {_WHEN} FROM rounds)"
    return page_of(
        tx,
        source,
        page=page,
        order={**_NEWEST, "round_id": str},
        make=lambda row: str(row["round_id"]),
        where=Condition("? = '' OR state = ?", (state, state)),
        newest_first=True,
    )


def tests_of(tx: Transaction, ensemble_id: str) -> list[str]:
    """Give the test sets that an ensemble was measured on."""
    rows = tx.execute(
        "SELECT DISTINCT test_version_id FROM metrics WHERE ensemble_id = ? ORDER BY test_version_id", [ensemble_id]
    ).fetchall()
    return [row[0] for row in rows]


def _frame(row: Mapping[str, Any]) -> FrameSummary:
    return FrameSummary(**{name: row[name] for name in _PLAIN}, tags=tags_of(row))


def _session(row: Mapping[str, Any], frames: Mapping[str, int]) -> SessionSummary:
    return SessionSummary(row["session_id"], row["dataset"], frames.get(row["session_id"], 0))
