"""Ingest: from an adapter into storage and catalog. Labels that come along are sealed, not used."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from al_platform.catalog.connection import Catalog
from al_platform.catalog.frames import FrameFacts, add_frames
from al_platform.datasets.base import DatasetAdapter, SourceFrame
from al_platform.datasets.quality import image_quality
from al_platform.domain.data import Frame
from al_platform.domain.ids import frame_id_of, session_id_of
from al_platform.domain.ingest import BrokenSource, IngestReport
from al_platform.domain.labels import Annotation
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.errors import InvalidInput
from al_platform.storage.blobs import BlobStore
from al_platform.storage.sealed import SealedAnswers

_COMMIT_FRAMES = 256


@dataclass(frozen=True)
class _Stored:
    frame: Frame
    facts: FrameFacts
    answer: Annotation | None


def ingest(
    adapter: DatasetAdapter,
    *,
    catalog: Catalog,
    blobs: BlobStore,
    sealed: SealedAnswers,
    report: ReportProgress,
) -> IngestReport:
    """Bring every frame of an adapter in. Running it again changes nothing; a killed one goes on.

    A frame is its image bytes: the same picture twice is one frame. Broken files are named, none is fatal.

    Raises: StorageUnavailable when the disk is full or read-only; what was committed stays.
    """
    total, seen = adapter.count(), set[str]()
    read, added, labels = 0, 0, 0
    duplicates: list[str] = []
    broken: list[BrokenSource] = []
    for batch in _batches(adapter.read(), _COMMIT_FRAMES):
        stored = []
        for source in batch:
            kept = _store(source, blobs, sealed)
            if isinstance(kept, BrokenSource):
                broken.append(kept)
            elif kept.frame.frame_id in seen:
                duplicates.append(kept.facts.origin)
            else:
                seen.add(kept.frame.frame_id)
                stored.append(kept)
        labels += sealed.seal([item.answer for item in stored if item.answer is not None])
        with catalog.transaction() as tx:
            added += add_frames(tx, [(item.frame, item.facts) for item in stored])
        read += len(batch)
        report(Progress("ingest", read, total))
    return IngestReport(read, added, labels, tuple(duplicates), tuple(broken))


def _batches(sources: Iterator[SourceFrame | BrokenSource], size: int) -> Iterable[list[SourceFrame | BrokenSource]]:
    while batch := list(islice(sources, size)):
        yield batch


def _store(source: SourceFrame | BrokenSource, blobs: BlobStore, sealed: SealedAnswers) -> _Stored | BrokenSource:
    if isinstance(source, BrokenSource):
        return source
    try:
        return _stored(source, blobs, sealed)
    except InvalidInput as error:
        return BrokenSource(source.origin, str(error))


def _stored(source: SourceFrame, blobs: BlobStore, sealed: SealedAnswers) -> _Stored:
    quality = image_quality(source.image)
    image = blobs.put(source.image, media_type=_media_type(source.image))
    frame = Frame(
        frame_id=frame_id_of(image.hash),
        dataset=source.dataset,
        session_id=session_id_of(source.dataset, source.session_id),
        image=image,
        width=quality.width,
        height=quality.height,
        frame_number=source.frame_number,
        timestamp_s=source.timestamp_s,
        tags=source.tags,
        latitude=source.latitude,
        longitude=source.longitude,
    )
    facts = FrameFacts(quality.brightness, quality.sharpness, source.origin, quality.clipped)
    return _Stored(frame, facts, _answer(source, frame, sealed))


def _answer(source: SourceFrame, frame: Frame, sealed: SealedAnswers) -> Annotation | None:
    label = source.label
    if label is None:
        return None
    mask = sealed.blobs.put(label.mask, media_type="image/png") if label.mask is not None else None
    return Annotation(
        frame_id=frame.frame_id,
        classes=label.classes,
        source=f"offline:{source.dataset}",
        mask=mask,
        mask_values={str(value): name for value, name in label.mask_values.items()},
        ignore_values=label.ignore_values,
        boxes=label.boxes,
        width=frame.width,
        height=frame.height,
    )


def _media_type(content: bytes) -> str:
    return "image/png" if content.startswith(b"\x89PNG") else "image/jpeg"
