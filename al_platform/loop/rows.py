"""Frame ids to row numbers and back: the one place that does."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


class PoolRows:
    """The rows of a pool in its frozen order: row n is frame `item_ids[n]`."""

    def __init__(self, item_ids: pa.ChunkedArray) -> None:
        self.item_ids = item_ids

    def mask_of(self, item_ids: Collection[str] | pa.ChunkedArray) -> NDArray[Any]:
        """Mark the rows of these frames, bool [N]; frames outside the pool are passed over."""
        wanted = item_ids if isinstance(item_ids, pa.ChunkedArray) else pa.array(list(item_ids), pa.string())
        marked: NDArray[Any] = pc.is_in(self.item_ids, value_set=wanted).to_numpy()
        return marked

    def rows_of(self, item_ids: Sequence[str]) -> list[int]:
        """Give the rows of these frames, each of which the pool holds."""
        found: list[int] = pc.index_in(pa.array(item_ids, pa.string()), value_set=self.item_ids).to_pylist()
        return found

    def ids_of(self, rows: Sequence[int] | NDArray[Any]) -> list[str]:
        """Give the frame ids of these rows."""
        found: list[str] = self.item_ids.take(np.asarray(rows, np.int64)).to_pylist()
        return found
