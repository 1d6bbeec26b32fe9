"""Arrays that are larger than they may be in memory: on the disk, read where they are asked for."""

import math
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.errors import StorageUnavailable


def mapped_rows(
    parts: Iterable[NDArray[Any]], folder: Path, *, row_shape: tuple[int, ...], dtype: np.dtype[Any]
) -> NDArray[Any]:
    """Give rows that come in parts, [n, *row_shape] each, as one read-only array [N, *row_shape] below a folder.

    One part is in memory at a time. The file has no name: it goes with the last array that reads it.

    Raises: StorageUnavailable when the disk is full or read-only.
    """
    rows = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as stream:
            for part in parts:
                stream.write(np.ascontiguousarray(part, dtype).data)
                rows += len(part)
            stream.flush()
            shape = (rows, *row_shape)
            return np.memmap(stream, dtype, "r", shape=shape) if math.prod(shape) else np.zeros(shape, dtype)
    except OSError as error:
        raise StorageUnavailable(
            f"{folder}: {error.strerror or error}. Only time is lost: free space or make it writable, then run again"
        ) from error
