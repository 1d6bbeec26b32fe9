"""What a training reads: records, presence maps and folds of labelled frames."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.models.batches import Rows

UNKNOWN = 255
"""Value of a cell in a presence map that nobody labelled."""


@dataclass(frozen=True)
class LabeledFrames:
    """Encoder records [N, ...], presence maps uint8 [N, K, H, W], folds [N], weights [N] of the draw and of the loss.

    Presence is 1 present, 0 absent, 255 unknown. Unknown cells never enter a loss. Without weights every frame
    is drawn as often as any other, and counts as much; weights of the loss are in [0, 1].
    """

    inputs: Rows
    presence: NDArray[Any]
    folds: NDArray[Any]
    weights: NDArray[Any] | None = None
    loss_weights: NDArray[Any] | None = None


class KeyedRows:
    """Records that stay where they are until their rows are asked for, read by key: row n is `keys[n]`.

    `read` gives the records [len(keys), ...] of any keys; several threads call it at once.
    """

    def __init__(
        self,
        keys: Sequence[str],
        read: Callable[[Sequence[str]], NDArray[Any]],
        *,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
    ) -> None:
        self.shape = (len(keys), *shape)
        self.dtype = dtype
        self._keys = np.array(keys, object)
        self._read = read

    def __len__(self) -> int:
        return len(self._keys)

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        """Read the records of a slice or of an array of row numbers; for no row, nothing."""
        keys = self._keys[rows].tolist()
        return self._read(keys) if keys else np.empty((0, *self.shape[1:]), self.dtype)
