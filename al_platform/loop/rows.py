"""Frame ids to row numbers and back: the one place that does."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


class PoolRows:
    """The rows of a pool in its frozen order: row n is frame `frame_ids[n]`."""

    def __init__(self, frame_ids: Sequence[str]) -> None:
        self.frame_ids = tuple(frame_ids)
        self._rows = {frame_id: row for row, frame_id in enumerate(self.frame_ids)}

    def mask_of(self, frame_ids: Iterable[str]) -> NDArray[Any]:
        """Mark the rows of these frames, bool [N]; frames outside the pool are passed over."""
        marked = np.zeros(len(self.frame_ids), bool)
        marked[[self._rows[frame_id] for frame_id in frame_ids if frame_id in self._rows]] = True
        return marked

    def rows_of(self, frame_ids: Iterable[str]) -> list[int]:
        """Give the rows of these frames, each of which the pool holds."""
        return [self._rows[frame_id] for frame_id in frame_ids]

    def ids_of(self, rows: Iterable[int]) -> list[str]:
        """Give the frame ids of these rows."""
        return [self.frame_ids[row] for row in rows]
