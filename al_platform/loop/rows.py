"""Frame ids to row numbers and back: the one place that does."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


class PoolRows:
    """The rows of a pool in its frozen order: row n is frame `frame_ids[n]`."""

    def __init__(self, frame_ids: pa.ChunkedArray) -> None:
        self.frame_ids = frame_ids

    def mask_of(self, frame_ids: Collection[str] | pa.ChunkedArray) -> NDArray[Any]:
        """Mark the rows of these frames, bool [N]; frames outside the pool are passed over."""
        wanted = frame_ids if isinstance(frame_ids, pa.ChunkedArray) else pa.array(list(frame_ids), pa.string())
        marked: NDArray[Any] = pc.is_in(self.frame_ids, value_set=wanted).to_numpy()
        return marked

    def rows_of(self, frame_ids: Sequence[str]) -> list[int]:
        """Give the rows of these frames, each of which the pool holds."""
        found: list[int] = pc.index_in(pa.array(frame_ids, pa.string()), value_set=self.frame_ids).to_pylist()
        return found

    def ids_of(self, rows: Sequence[int] | NDArray[Any]) -> list[str]:
        """Give the frame ids of these rows."""
        found: list[str] = self.frame_ids.take(np.asarray(rows, np.int64)).to_pylist()
        return found
