"""Presence maps of labels: computed once, cached by content, gathered by id."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.datasets.presence import CODE_VERSION, presence_of
from al_platform.domain.hashing import hash_record
from al_platform.domain.ids import annotation_id
from al_platform.domain.labels import Annotation
from al_platform.domain.models import GridSpec
from al_platform.storage.blobs import BlobStore
from al_platform.storage.records import RecordCaches


class PresenceMaps:
    """Presence maps uint8 [K, H, W] of annotations on one grid, for the classes of one model."""

    def __init__(self, classes: Sequence[str], grid: GridSpec, *, blobs: BlobStore, caches: RecordCaches) -> None:
        self._classes = tuple(classes)
        self._grid = grid
        self._blobs = blobs
        key = hash_record([list(classes), grid, CODE_VERSION])
        shape = (len(classes), grid.rows, grid.columns)
        self._cache = caches.cache("presence", key, shape=shape, dtype=np.dtype(np.uint8))

    def of(self, annotations: Sequence[Annotation]) -> NDArray[Any]:
        """Give [N, K, H, W]: 1 present, 0 absent, 255 unknown."""
        keys = [annotation_id(annotation) for annotation in annotations]
        missing = set(self._cache.missing(keys))
        chosen = {key: annotation for key, annotation in zip(keys, annotations, strict=True) if key in missing}
        if chosen:
            maps = np.stack([self._map(annotation) for annotation in chosen.values()])
            self._cache.add(list(chosen), maps)
        return self._cache.take(keys)

    def _map(self, annotation: Annotation) -> NDArray[Any]:
        mask = self._blobs.get(annotation.mask.hash) if annotation.mask else None
        return presence_of(annotation, mask, classes=self._classes, grid=self._grid)
