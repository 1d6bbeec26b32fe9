"""Where a training reads and keeps things, and the records of frames that it reads there."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from al_platform.domain.jobs import Workplace
from al_platform.domain.models import ModelSpec
from al_platform.domain.progress import ReportProgress
from al_platform.errors import InvalidInput
from al_platform.models.base import Encoder
from al_platform.models.batches import Rows
from al_platform.models.records import ContentRecords, Unreadable, frame_reader
from al_platform.storage.blobs import BlobStore
from al_platform.storage.cache import BlobReader, cached
from al_platform.storage.files import NamedFiles
from al_platform.storage.records import RecordCaches
from al_platform.training.frames import KeyedRows
from al_platform.training.images import FrameImages
from al_platform.training.tiers import HotTiers


@dataclass(frozen=True)
class TrainingPlace:
    """The storage and what is kept on this machine to save time."""

    workplace: Workplace
    blobs: BlobStore
    images: BlobReader
    """The same blobs as far as they are read again and again: through a cache where they are remote."""
    tiers: HotTiers
    caches: RecordCaches

    @property
    def files(self) -> NamedFiles:
        """Give the files of jobs and results, beside the blobs."""
        return NamedFiles(self.blobs.url)


def open_place(workplace: Workplace) -> TrainingPlace:
    """Open a workplace."""
    blobs, caches = BlobStore(workplace.storage_url), RecordCaches(Path(workplace.cache_folder))
    return TrainingPlace(
        workplace=workplace,
        blobs=blobs,
        images=cached(blobs, caches.folder / "blobs", limit_bytes=workplace.blob_cache_bytes),
        tiers=HotTiers(Path(workplace.hot_folder)),
        caches=caches,
    )


def frame_records(place: TrainingPlace, spec: ModelSpec, encoder: Encoder) -> ContentRecords:
    """Give the cached records of this encoder."""
    return ContentRecords(encoder, frame_reader(place.blobs, spec.grid), place.caches)


def ensure_records(records: ContentRecords, images: Mapping[str, str], report: ReportProgress) -> Unreadable:
    """Encode what is missing of {frame id: image hash}; gives the frames that cannot be read, and why."""
    lost = records.ensure(list(images.values()), report)
    return {frame_id: lost[image] for frame_id, image in images.items() if image in lost}


def inputs_of(
    place: TrainingPlace,
    spec: ModelSpec,
    encoder: Encoder,
    *,
    images: Mapping[str, str],
    frame_ids: Sequence[str],
    report: ReportProgress,
) -> Rows:
    """Give what a model reads of frames {frame id: image hash}, all readable, row by row in the order of `frame_ids`.

    In memory up to the place's limit. Beyond it they are read when they are asked for: pictures from a hot tier,
    the cache or the archive, other records from their cache on the disk.

    Raises: InvalidInput naming the first frame that cannot be read, and why; for streamed pictures when it is read.
    """
    limit = place.workplace.memory_bytes
    size = len(frame_ids) * math.prod(encoder.shape) * encoder.dtype.itemsize
    if size > limit and encoder.keeps_pixels:
        pictures = FrameImages(images, spec.grid, tiers=place.tiers, blobs=place.images)
        return KeyedRows(frame_ids, pictures.take, shape=encoder.shape, dtype=encoder.dtype)
    records = frame_records(place, spec, encoder)
    for frame_id, reason in ensure_records(records, images, report).items():
        raise InvalidInput(f"frame {frame_id}: cannot be read ({reason}); put its blob back, or leave it out")
    contents = [images[frame_id] for frame_id in frame_ids]
    if size > limit:
        return KeyedRows(contents, records.take, shape=encoder.shape, dtype=encoder.dtype)
    return records.take(contents)
