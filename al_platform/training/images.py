"""Decoded frames by id, from the nearest place that holds them: a hot tier, the cache, the archive."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.domain.models import GridSpec
from al_platform.errors import CorruptBlob, InvalidInput, NotFound
from al_platform.models.decode import decode_image
from al_platform.storage.cache import BlobReader
from al_platform.storage.shards import Shards
from al_platform.training.tiers import HotTiers


class FrameImages:
    """Frames at the size of a model, uint8 [N, height, width, 3]; the same pixels wherever they come from."""

    def __init__(self, images: Mapping[str, str], grid: GridSpec, *, tiers: HotTiers, blobs: BlobReader) -> None:
        self._images = images
        self._grid = grid
        self._blobs = blobs
        self._decoded = tiers.holding((grid.image_height, grid.image_width))
        self._encoded = tiers.holding(None)

    def take(self, frame_ids: Sequence[str]) -> NDArray[Any]:
        """Gather frames in the order asked for; several threads may.

        Raises: NotFound for a frame outside the mapping; InvalidInput naming a frame that cannot be read, and why.
        """
        pixels = np.empty((len(frame_ids), self._grid.image_height, self._grid.image_width, 3), np.uint8)
        left = list(range(len(frame_ids)))
        for shards in self._decoded:
            held = [row for row in left if frame_ids[row] in shards]
            for row, sample in zip(held, shards.read([frame_ids[row] for row in held]), strict=True):
                pixels[row] = np.frombuffer(sample, np.uint8).reshape(pixels.shape[1:])
            left = [row for row in left if frame_ids[row] not in shards]
        for row in left:
            pixels[row] = self._decode(frame_ids[row])
        return pixels

    def _decode(self, frame_id: str) -> NDArray[Any]:
        if frame_id not in self._images:
            raise NotFound(f"frame {frame_id}: is not among the {len(self._images)} frames to read")
        try:
            content = _from_tier(self._encoded, frame_id) or self._blobs.get(self._images[frame_id])
            decoded: NDArray[Any] = decode_image(content, self._grid)
        except (InvalidInput, NotFound, CorruptBlob) as error:
            raise InvalidInput(
                f"frame {frame_id}: cannot be read ({error}); put its blob back, or leave it out"
            ) from error
        return decoded


def _from_tier(tiers: Sequence[Shards], frame_id: str) -> bytes | None:
    for shards in tiers:
        if frame_id in shards:
            return shards.read([frame_id])[0]
    return None
