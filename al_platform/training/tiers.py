"""Hot tiers: frames that a curriculum needs, kept on the local disk until they are dropped.

The archive holds every frame in full size behind the storage URL. A tier holds a copy of some, as files or decoded
to the size of a model, in shards that are read at random. Losing a tier costs only time.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from al_platform.domain.hashing import canonical_json
from al_platform.domain.ids import make_id
from al_platform.domain.models import GridSpec
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.domain.records import record_from_json
from al_platform.errors import CorruptBlob, InvalidInput, NotFound, PlatformError, StorageUnavailable
from al_platform.models.decode import decode_image
from al_platform.models.records import Unreadable
from al_platform.storage.blobs import write_durably
from al_platform.storage.cache import BlobReader
from al_platform.storage.shards import Shards

ImageSize = tuple[int, int] | None
"""Height and width in pixels; None: the files as they are."""

SHARD_BYTES = 256 * 2**20
"""A command that is killed does at most this much again."""

_TIER_FILE = "tier.json"
_SHARDS = "shards"
_THREADS = 8
_READ_AT_ONCE = 64


@dataclass(frozen=True)
class TierSpec:
    """What a tier holds: the frames of a filter or of a dataset version, at one size."""

    described: str
    image: ImageSize
    wanted: int
    """How many frames it was last asked to hold; broken ones are among them."""

    @property
    def tier_id(self) -> str:
        """The same for the same description and size, whatever frames match by now."""
        return make_id("hot", self.described, self.image)


@dataclass(frozen=True)
class Tier:
    """A tier as it is on the disk."""

    spec: TierSpec
    frames: int
    size_bytes: int


class HotTiers:
    """The tiers below one folder, each in a folder of its own named by its id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[Tier]:
        """Give every tier, ordered by id.

        Raises: StorageUnavailable for a tier that another version of the platform made.
        """
        return [_tier(path.parent) for path in sorted(self._folder.glob(f"hot_*/{_TIER_FILE}"))]

    def heat(
        self, spec: TierSpec, images: Mapping[str, str], *, blobs: BlobReader, report: ReportProgress
    ) -> Unreadable:
        """Copy what is missing of {frame id: image hash} into a tier; gives the frames that cannot be read, and why.

        Again is free, and a killed one goes on.

        Raises: StorageUnavailable when the archive does not answer or the disk is full; what was copied stays.
        """
        folder = self._folder / spec.tier_id
        shards, unreadable = Shards(folder / _SHARDS), Unreadable()
        write_durably(folder / _TIER_FILE, canonical_json(spec).encode())
        missing = {frame_id: images[frame_id] for frame_id in shards.missing(images)}
        samples = _samples(missing, partial(_sample, blobs, spec.image), unreadable, report)
        for group in _groups(samples):
            shards.add(list(group), list(group.values()))
        return unreadable

    def drop(self, tier_id: str) -> None:
        """Delete a tier.

        Raises: NotFound for an id that no tier has.
        """
        folder = self._folder / tier_id
        if not (folder / _TIER_FILE).is_file():
            known = ", ".join(tier.spec.tier_id for tier in self.all()) or "none"
            raise NotFound(f"tier {tier_id}: not in {self._folder}; known are {known}")
        shutil.rmtree(folder / _SHARDS, ignore_errors=True)  # first, so that a killed drop can be given again
        shutil.rmtree(folder)

    def holding(self, image: ImageSize) -> list[Shards]:
        """Give the shards of every tier of this size."""
        return [Shards(self._folder / tier.spec.tier_id / _SHARDS) for tier in self.all() if tier.spec.image == image]


def _tier(folder: Path) -> Tier:
    path = folder / _TIER_FILE
    try:
        spec = record_from_json(TierSpec, path.read_text())
    except ValueError as error:
        raise StorageUnavailable(
            f"tier {path}: was made by another version or cut short; delete {folder} and make it again"
        ) from error
    shards = Shards(folder / _SHARDS)
    return Tier(spec, len(shards), shards.size_bytes)


def _sample(blobs: BlobReader, image: ImageSize, blob_hash: str) -> bytes | PlatformError:
    """What a tier keeps of an image, or why it cannot."""
    try:
        content = blobs.get(blob_hash)
        if image is None:
            return content
        height, width = image
        return decode_image(content, GridSpec(image_height=height, image_width=width, cell=1)).tobytes()
    except (InvalidInput, NotFound, CorruptBlob) as error:
        return error


def _samples(
    images: Mapping[str, str],
    sample: Callable[[str], bytes | PlatformError],
    unreadable: Unreadable,
    report: ReportProgress,
) -> Iterator[tuple[str, bytes]]:
    """Yield the samples of readable frames in order, a few dozen read at once; the others are noted."""
    frame_ids = list(images)
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(frame_ids), _READ_AT_ONCE):
            report(Progress("copy", start, len(frame_ids)))
            some = frame_ids[start : start + _READ_AT_ONCE]
            for frame_id, found in zip(some, pool.map(sample, [images[key] for key in some]), strict=True):
                if isinstance(found, PlatformError):
                    unreadable[frame_id] = str(found)
                else:
                    yield frame_id, found
    if frame_ids:
        report(Progress("copy", len(frame_ids), len(frame_ids)))


def _groups(samples: Iterable[tuple[str, bytes]]) -> Iterator[dict[str, bytes]]:
    """Yield samples by key, as many as fill a shard."""
    group: dict[str, bytes] = {}
    size = 0
    for key, sample in samples:
        group[key] = sample
        size += len(sample)
        if size >= SHARD_BYTES:
            yield group
            group, size = {}, 0
    if group:
        yield group
