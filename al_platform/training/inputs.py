"""Encoder records and presence maps of frames: computed once, cached by content, gathered by id."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.datasets.presence import CODE_VERSION, presence_of
from al_platform.domain.hashing import hash_record
from al_platform.domain.ids import annotation_id
from al_platform.domain.labels import Annotation
from al_platform.domain.models import GridSpec
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.errors import CorruptBlob, InvalidInput, NotFound
from al_platform.models.base import Encoder, ImageBatch
from al_platform.models.decode import decode_image
from al_platform.storage.blobs import BlobStore
from al_platform.storage.records import RecordCaches

ENCODE_BATCH = 64

Unreadable = dict[str, str]
"""Frame id to the reason why it cannot be read."""


class FrameRecords:
    """Encoder records by frame id. What is missing is read, decoded and encoded once, then cached."""

    def __init__(self, encoder: Encoder, grid: GridSpec, *, blobs: BlobStore, caches: RecordCaches) -> None:
        self._encoder = encoder
        self._grid = grid
        self._blobs = blobs
        self._cache = caches.cache("encoder", encoder.key, shape=encoder.shape, dtype=encoder.dtype)

    def ensure(self, images: Mapping[str, str], report: ReportProgress) -> Unreadable:
        """Encode what is missing of {frame id: image hash}; gives the frames that cannot be read, and why."""
        missing = self._cache.missing(images)
        unreadable: Unreadable = {}
        for start in range(0, len(missing), ENCODE_BATCH):
            report(Progress("encode", start, len(missing)))
            self._encode(missing[start : start + ENCODE_BATCH], images, unreadable)
        if missing:
            report(Progress("encode", len(missing), len(missing)))
        return unreadable

    def take(self, frame_ids: Sequence[str]) -> NDArray[Any]:
        """Gather records [len(frame_ids), *shape] that `ensure` made."""
        return self._cache.take(frame_ids)

    def _encode(self, frame_ids: Sequence[str], images: Mapping[str, str], unreadable: Unreadable) -> None:
        decoded: list[tuple[str, NDArray[Any]]] = []
        for frame_id in frame_ids:
            try:
                content = self._blobs.get(images[frame_id])
                decoded.append((frame_id, decode_image(content, self._grid)))
            except (InvalidInput, NotFound, CorruptBlob) as error:
                unreadable[frame_id] = str(error)
        if not decoded:
            return
        batch = np.stack([image for _, image in decoded])
        self._cache.add([frame_id for frame_id, _ in decoded], self._encoder.encode(batch))


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


def image_batches(
    image_hashes: Sequence[str], grid: GridSpec, *, blobs: BlobStore, report: ReportProgress
) -> Iterator[ImageBatch]:
    """Yield decoded batches of these images; an image that cannot be decoded is passed over."""
    for start in range(0, len(image_hashes), ENCODE_BATCH):
        report(Progress("fit encoder", start, len(image_hashes)))
        decoded = [
            image
            for image_hash in image_hashes[start : start + ENCODE_BATCH]
            if (image := _decoded(image_hash, grid, blobs.get)) is not None
        ]
        if decoded:
            yield np.stack(decoded)
    report(Progress("fit encoder", len(image_hashes), len(image_hashes)))


def _decoded(image_hash: str, grid: GridSpec, read: Callable[[str], bytes]) -> NDArray[Any] | None:
    try:
        image: NDArray[Any] = decode_image(read(image_hash), grid)
    except (InvalidInput, NotFound, CorruptBlob):
        return None
    return image
