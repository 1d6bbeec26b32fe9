"""An approximate index of vectors in one file, made anew whenever it is gone: for pools too large to compare whole.

Axes: N items, D embedding dimensions, P found.
"""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.errors import InvalidInput, MissingExtra, StorageUnavailable
from al_platform.storage.blobs import write_durably

_TRAINED_PER_LIST = 64
"""Vectors that each list's centre is fitted on; faiss asks for 39 at least."""


class VectorIndex:
    """Unit vectors in lists around centres, of which a question looks at a few. Row n is vector n."""

    def __init__(self, index: Any, *, lists_looked_at: int = 32) -> None:
        self._index = index
        self._lists_looked_at = lists_looked_at

    @classmethod
    def build(cls, path: Path, embeddings_ND: NDArray[np.floating]) -> "VectorIndex":
        """Make the index of these embeddings and keep it in a file; the same embeddings give the same index.

        Raises: MissingExtra without faiss, InvalidInput for embeddings that are none or not finite.
        """
        if len(embeddings_ND) == 0 or not np.isfinite(embeddings_ND).all():
            raise InvalidInput(f"{len(embeddings_ND)} embeddings: at least one is needed, and all must be finite")
        faiss = _faiss()
        units_ND = np.ascontiguousarray(embeddings_ND, np.float32)
        units_ND = units_ND / np.maximum(np.linalg.norm(units_ND, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        lists = max(1, min(len(units_ND) // _TRAINED_PER_LIST, int(np.sqrt(len(units_ND)))))
        index = faiss.index_factory(units_ND.shape[1], f"IVF{lists},Flat", faiss.METRIC_INNER_PRODUCT)
        chosen = np.random.default_rng(0).permutation(len(units_ND))[: lists * _TRAINED_PER_LIST]
        index.train(units_ND[np.sort(chosen)])
        index.add(units_ND)
        write_durably(path, faiss.serialize_index(index).tobytes())
        return cls(index)

    @classmethod
    def open(cls, path: Path) -> "VectorIndex":
        """Open an index that was built.

        Raises: MissingExtra without faiss, StorageUnavailable where the file is missing or broken.
        """
        faiss = _faiss()
        try:
            return cls(faiss.deserialize_index(np.frombuffer(path.read_bytes(), np.uint8)))
        except (OSError, RuntimeError) as error:
            raise StorageUnavailable(f"index {path}: cannot be read ({error}); build it again") from error

    def nearest(
        self, direction_D: NDArray[np.floating], count: int, *, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Give (rows [P], products [P]) of the items found nearest in direction, best first; some may be missed."""
        faiss = _faiss()
        parameters = faiss.SearchParametersIVF(nprobe=self._lists_looked_at)
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            selector = faiss.IDSelectorBitmap(allowed.size, faiss.swig_ptr(bits))
            parameters = faiss.SearchParametersIVF(nprobe=self._lists_looked_at, sel=selector)
        query_1D = np.ascontiguousarray(direction_D, np.float32)[None]
        products, rows = self._index.search(query_1D, count, params=parameters)
        found = rows[0] >= 0
        return rows[0][found], products[0][found]


def _faiss() -> Any:
    try:
        return importlib.import_module("faiss")
    except ImportError as error:
        raise MissingExtra("faiss: is not installed; pip install 'al-platform[search]'") from error
