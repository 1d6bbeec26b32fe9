"""Frames and sessions: what was recorded."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from al_platform.catalog.bulk import add_frame_rows
from al_platform.catalog.connection import Transaction
from al_platform.catalog.filters import Condition, parse_filter
from al_platform.catalog.tables import rows_of, table_of, visible, wanted_ids
from al_platform.catalog.tags import tags_of
from al_platform.domain.data import TIERS, BlobRef, Frame, Session
from al_platform.errors import InvalidInput, NotFound

_IN_POOL_ORDER = """
WITH chosen AS MATERIALIZED (
    SELECT frame_id, session_id, frame_number, timestamp_s, image_hash FROM frames WHERE {condition}
), codes AS (
    SELECT session_id, CAST(row_number() OVER (ORDER BY session_id) - 1 AS INTEGER) AS session
    FROM (SELECT DISTINCT session_id FROM chosen)
)
SELECT frame_id AS item_id, session_id, session, frame_number, timestamp_s, image_hash
FROM chosen JOIN codes USING (session_id) ORDER BY session, frame_number, frame_id
"""

_UNLABELLED = "frame_id NOT IN (SELECT annotations.item_id FROM annotations)"


@dataclass(frozen=True)
class FrameFacts:
    """What ingest measured.

    Mean brightness (0-255), sharpness (variance of the Laplacian, higher = sharper), share of pixels without
    detail because they are black or white, in [0, 1]; and where the frame was read.
    """

    brightness: float
    sharpness: float
    origin: str
    clipped: float | None = None


def add_frames(tx: Transaction, frames: Sequence[tuple[Frame, FrameFacts]]) -> int:
    """Add frames and their sessions; those known already stay as they are. Gives how many were new.

    Raises: InvalidInput as `bulk.add_frame_rows` says.
    """
    return add_frame_rows(tx, _columns(frames)) if frames else 0


def add_sessions(tx: Transaction, sessions: Sequence[Session]) -> None:
    """Enter sessions, or what is known of them now: start and place."""
    names = ("session_id", "dataset", "started_at", "latitude", "longitude")
    columns = {name: [getattr(session, name) for session in sessions] for name in names}
    kinds = (pa.string(), pa.string(), pa.string(), pa.float64(), pa.float64())
    with visible(tx, "incoming", pa.table(columns, schema=pa.schema(list(zip(names, kinds, strict=True))))):
        tx.execute(
            "INSERT INTO sessions SELECT session_id, dataset, CAST(started_at AS TIMESTAMP), latitude, longitude "
            "FROM incoming ON CONFLICT DO UPDATE SET started_at = excluded.started_at, latitude = excluded.latitude, "
            "longitude = excluded.longitude"
        ).fetchall()


def all_sessions(tx: Transaction) -> list[Session]:
    """Give every session, by id."""
    rows = rows_of(
        tx,
        "SELECT session_id, dataset, strftime(started_at, '%Y-%m-%d %H:%M:%S.%f') AS started_at, latitude, longitude "
        "FROM sessions ORDER BY session_id",
    )
    return [Session(**row) for row in rows]


def frames_matching(tx: Transaction, text: str) -> pa.Table:
    """Frames that a filter matches, as a pool lists them.

    Columns: item_id, session_id, session (int32, counts the sessions from 0 in this order), frame_number,
    timestamp_s (null without a clock), image_hash. Ordered by session_id, frame_number, frame_id, whatever the
    clock says.

    Raises: InvalidInput for a filter that does not parse.
    """
    condition = parse_filter(tx, text)
    return table_of(tx, _IN_POOL_ORDER.format(condition=condition.sql), condition.values)


def unlabelled_where(tx: Transaction, text: str) -> Condition:
    """Give the condition that a filter matches a frame and nobody ever labelled it.

    Raises: InvalidInput for a filter that does not parse.
    """
    condition = parse_filter(tx, text)
    return Condition(f"({condition.sql}) AND {_UNLABELLED}", condition.values)


def frames_in_pool_order(tx: Transaction, frame_ids: Sequence[str] | pa.ChunkedArray) -> pa.Table:
    """The frames of these ids, as a pool lists them; an id that comes twice is one frame.

    Raises: NotFound for an id that the catalog lacks.
    """
    with wanted_ids(tx, frame_ids):
        absent = tx.execute("SELECT id FROM wanted ANTI JOIN frames ON id = frame_id LIMIT 1").fetchall()
        if absent:
            raise NotFound(f"frame {absent[0][0]}: not in the catalog")
        return table_of(tx, _IN_POOL_ORDER.format(condition="frame_id IN (SELECT id FROM wanted)"))


def count_matching(tx: Transaction, text: str, *, unlabelled: bool = False) -> tuple[int, int]:
    """Give how many frames a filter matches, all or those nobody ever labelled, and of how many sessions.

    Raises: InvalidInput for a filter that does not parse.
    """
    condition = unlabelled_where(tx, text) if unlabelled else parse_filter(tx, text)
    counted = tx.execute(
        f"SELECT count(*), count(DISTINCT session_id) FROM frames WHERE {condition.sql}", list(condition.values)
    ).fetchall()[0]
    return int(counted[0]), int(counted[1])


def frames_matching_among(tx: Transaction, text: str, frame_ids: Sequence[str]) -> set[str]:
    """Give those of these frames that a filter matches.

    Raises: InvalidInput for a filter that does not parse.
    """
    condition = parse_filter(tx, text)
    with wanted_ids(tx, frame_ids):
        sql = f"SELECT frame_id FROM frames WHERE ({condition.sql}) AND frame_id IN (SELECT id FROM wanted)"
        return {row[0] for row in tx.execute(sql, list(condition.values)).fetchall()}


def frames_by_id(tx: Transaction, frame_ids: Sequence[str]) -> dict[str, Frame]:
    """Give the frames of these ids, in the order asked for.

    Raises: NotFound for an id that the catalog lacks.
    """
    with wanted_ids(tx, frame_ids):
        rows = rows_of(
            tx,
            "SELECT frames.*, tag_sets.tags AS shared_tags FROM frames JOIN tag_sets USING (tag_set) "
            "WHERE frame_id IN (SELECT id FROM wanted)",
        )
    found = {row["frame_id"]: _frame(row) for row in rows}
    for frame_id in frame_ids:
        if frame_id not in found:
            raise NotFound(f"frame {frame_id}: not in the catalog")
    return {frame_id: found[frame_id] for frame_id in frame_ids}


def frame_counts(tx: Transaction) -> list[dict[str, object]]:
    """Give frames and sessions per dataset."""
    return rows_of(
        tx,
        "SELECT dataset, count(*) AS frames, count(DISTINCT session_id) AS sessions "
        "FROM frames GROUP BY dataset ORDER BY dataset",
    )


def move_to_tier(tx: Transaction, text: str, tier: str) -> int:
    """Note that the pixels of the frames that a filter matches lie in a tier; gives how many moved.

    Raises: InvalidInput for an unknown tier, or a filter that does not parse.
    """
    if tier not in TIERS:
        raise InvalidInput(f"tier {tier!r}: known are {', '.join(TIERS)}")
    condition = parse_filter(tx, text)
    moved = tx.execute(
        f"UPDATE frames SET tier = ? WHERE ({condition.sql}) AND tier <> ?", [tier, *condition.values, tier]
    ).fetchall()
    return int(moved[0][0])


_PLAIN = (
    *("frame_id", "dataset", "session_id", "frame_number", "timestamp_s"),
    *("latitude", "longitude", "width", "height", "tier"),
)
_NULLABLE = ("timestamp_s", "latitude", "longitude")


def _columns(frames: Sequence[tuple[Frame, FrameFacts]]) -> pa.Table:
    plain = {
        name: pa.array([getattr(frame, name) for frame, _ in frames], pa.float64() if name in _NULLABLE else None)
        for name in _PLAIN
    }
    measured = {
        name: pa.array([getattr(facts, name) for _, facts in frames], pa.float32())
        for name in ("brightness", "sharpness", "clipped")
    }
    images = {
        "image_hash": [frame.image.hash for frame, _ in frames],
        "image_size": [frame.image.size for frame, _ in frames],
        "media_type": [frame.image.media_type for frame, _ in frames],
    }
    tags = [json.dumps(dict(frame.tags), sort_keys=True) for frame, _ in frames]
    return pa.table({**plain, **measured, **images, "tags": tags, "origin": [facts.origin for _, facts in frames]})


def _frame(row: Mapping[str, object]) -> Frame:
    return Frame(
        **{name: row[name] for name in _PLAIN},  # type: ignore[arg-type]  # as the schema types them
        image=BlobRef(str(row["image_hash"]), int(str(row["image_size"])), str(row["media_type"])),
        tags=tags_of(row),
    )
