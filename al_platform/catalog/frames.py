"""Frames and sessions: what was recorded."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from al_platform.catalog.connection import Transaction
from al_platform.catalog.filters import parse_filter
from al_platform.catalog.tables import insert_missing, rows_of, wanted_ids
from al_platform.domain.data import BlobRef, Frame
from al_platform.errors import NotFound


@dataclass(frozen=True)
class FrameFacts:
    """What ingest measured: mean brightness (0-255), sharpness (variance of the Laplacian), origin."""

    brightness: float
    sharpness: float
    origin: str


def add_frames(tx: Transaction, frames: Sequence[tuple[Frame, FrameFacts]]) -> int:
    """Add frames and their sessions; those known already stay as they are. Gives how many were new."""
    insert_missing(
        tx,
        "sessions",
        {
            "session_id": [frame.session_id for frame, _ in frames],
            "dataset": [frame.dataset for frame, _ in frames],
        },
    )
    return insert_missing(tx, "frames", _columns(frames))


def _columns(frames: Sequence[tuple[Frame, FrameFacts]]) -> dict[str, list[object]]:
    return {
        "frame_id": [frame.frame_id for frame, _ in frames],
        "dataset": [frame.dataset for frame, _ in frames],
        "session_id": [frame.session_id for frame, _ in frames],
        "frame_number": [frame.frame_number for frame, _ in frames],
        "timestamp_s": [frame.timestamp_s for frame, _ in frames],
        "width": [frame.width for frame, _ in frames],
        "height": [frame.height for frame, _ in frames],
        "brightness": [facts.brightness for _, facts in frames],
        "sharpness": [facts.sharpness for _, facts in frames],
        "image_hash": [frame.image.hash for frame, _ in frames],
        "image_size": [frame.image.size for frame, _ in frames],
        "media_type": [frame.image.media_type for frame, _ in frames],
        "tags": [json.dumps(dict(frame.tags), sort_keys=True) for frame, _ in frames],
        "origin": [facts.origin for _, facts in frames],
    }


def frames_matching(tx: Transaction, text: str) -> pa.Table:
    """Frames that a filter matches: frame_id, session_id, frame_number, timestamp_s, image_hash.

    Ordered by session, within it by frame number.

    Raises: InvalidInput for a filter that does not parse.
    """
    condition = parse_filter(tx, text)
    return tx.execute(
        "SELECT frame_id, session_id, frame_number, timestamp_s, image_hash FROM frames "
        f"WHERE {condition.sql} ORDER BY session_id, frame_number, frame_id",
        list(condition.values),
    ).to_arrow_table()


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
        rows = rows_of(tx, "SELECT * FROM frames WHERE frame_id IN (SELECT id FROM wanted)")
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


def _frame(row: Mapping[str, object]) -> Frame:
    fields = {name: row[name] for name in ("frame_id", "dataset", "session_id", "width", "height")}
    return Frame(
        **fields,  # type: ignore[arg-type]
        image=BlobRef(str(row["image_hash"]), int(str(row["image_size"])), str(row["media_type"])),
        frame_number=int(str(row["frame_number"])),
        timestamp_s=None if row["timestamp_s"] is None else float(str(row["timestamp_s"])),
        tags=json.loads(str(row["tags"])),
    )
