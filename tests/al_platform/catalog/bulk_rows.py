"""Columns of frames for tests of bulk ingest."""

from typing import Any

import pyarrow as pa

REQUIRED = (
    *("frame_id", "dataset", "session_id", "frame_number", "width", "height"),
    *("image_hash", "image_size"),
)


def columns(count: int = 3, **changed: Any) -> pa.Table:
    """That many frames f0, f1, ... of session d/s with the required columns; `changed` replaces or adds columns."""
    plain: dict[str, Any] = {
        "frame_id": [f"f{row}" for row in range(count)],
        "dataset": ["d"] * count,
        "session_id": ["d/s"] * count,
        "frame_number": list(range(count)),
        "width": [640] * count,
        "height": [480] * count,
        "image_hash": [f"hash {row}" for row in range(count)],
        "image_size": [10] * count,
    }
    return pa.table({**plain, **changed})
