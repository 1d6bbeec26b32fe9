"""Encoder records of items: computed once, cached by the hash of the content, gathered by it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.domain.models import GridSpec
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.errors import CorruptBlob, InvalidInput, NotFound
from al_platform.models.base import Encoder, ImageBatch
from al_platform.models.decode import decode_image
from al_platform.storage.blobs import BlobStore
from al_platform.storage.records import RecordCaches

ENCODE_BATCH = 64

UNREADABLE = (InvalidInput, NotFound, CorruptBlob)
"""What an item raises that cannot be read or decoded; anything else is the storage's fault and stops the work."""

Unreadable = dict[str, str]
"""Id or content hash to the reason why it cannot be read."""


@dataclass(frozen=True)
class ItemReader:
    """What an item is: how its content is read by hash, and how it becomes the array that an encoder takes."""

    read: Callable[[str], bytes]
    decode: Callable[[bytes], NDArray[Any]]


def frame_reader(blobs: BlobStore, grid: GridSpec) -> ItemReader:
    """Camera frames: JPEG or PNG blobs, as uint8 [image_height, image_width, 3]."""
    return ItemReader(blobs.get, lambda content: decode_image(content, grid))


class ContentRecords:
    """Encoder records by content hash: equal pictures have one record, whatever the frames are called."""

    def __init__(self, encoder: Encoder, reader: ItemReader, caches: RecordCaches) -> None:
        self.reader = reader
        self.encoder = encoder
        self._cache = caches.cache("encoder", encoder.key, shape=encoder.shape, dtype=encoder.dtype)

    def ensure(self, hashes: Sequence[str], report: ReportProgress) -> Unreadable:
        """Read, decode and encode what is missing; gives the hashes that cannot be read, and why."""
        missing = self.missing(hashes)
        unreadable: Unreadable = {}
        for start in range(0, len(missing), ENCODE_BATCH):
            report(Progress("encode", start, len(missing)))
            decoded: dict[str, NDArray[Any]] = {}
            for content_hash in missing[start : start + ENCODE_BATCH]:
                try:
                    decoded[content_hash] = self.reader.decode(self.reader.read(content_hash))
                except UNREADABLE as error:
                    unreadable[content_hash] = str(error)
            self.keep(decoded)
        if missing:
            report(Progress("encode", len(missing), len(missing)))
        return unreadable

    def missing(self, hashes: Sequence[str]) -> list[str]:
        """Give the hashes without a record, each once, in the order asked for."""
        return self._cache.missing(hashes)

    def keep(self, decoded: Mapping[str, NDArray[Any]]) -> None:
        """Encode decoded items by content hash, and keep their records."""
        if decoded:
            self._cache.add(list(decoded), self.encoder.encode(np.stack(list(decoded.values()))))

    def take(self, hashes: Sequence[str]) -> NDArray[Any]:
        """Gather records [len(hashes), *shape].

        Raises: KeyError for a hash without a record.
        """
        return self._cache.take(hashes)


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
    except UNREADABLE:
        return None
    return image
