"""Pictures: frames and the disagreement over them."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.catalog.frames import frames_by_id
from al_platform.catalog.models import ensemble_named
from al_platform.catalog.rounds import round_named
from al_platform.catalog.tasks import selections_of
from al_platform.datasets.images import decode_picture, encode_png, media_type_of, thumbnail_jpeg
from al_platform.errors import InvalidInput, NotFound
from al_platform.experiments.report.gallery import heatmap_pixels
from al_platform.loop.heatmaps import heatmaps_of
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context


def decoded_frames(platform: Platform, frame_ids: Sequence[str]) -> list[NDArray[np.uint8]]:
    """Give the pixels of frames, RGB uint8 [height, width, 3] each, in their own size.

    Raises: NotFound for an unknown frame, CorruptBlob where its bytes are not what they were.
    """
    with platform.catalog.transaction() as tx:
        frames = frames_by_id(tx, frame_ids)
    return [decode_picture(platform.blobs.get(frames[frame_id].image.hash)) for frame_id in frame_ids]


def ensemble_heatmaps(platform: Platform, round_id: str, frame_ids: Sequence[str]) -> NDArray[Any]:
    """Give the mutual information of the round's ensemble over frames, [N, K, rows, columns] in nats.

    Classes are in the order of the round's model.

    Raises: NotFound for an unknown round or frame, InvalidInput where the round has not trained yet.
    """
    with platform.catalog.transaction() as tx:
        round_ = round_named(tx, round_id)
        if round_.ensemble_id is None:
            raise InvalidInput(f"round {round_id}: has no ensemble yet; run it first")
        ensemble = ensemble_named(tx, round_.ensemble_id)
    return heatmaps_of(loop_context(platform), ensemble, pool_id=round_.spec.pool_id, frame_ids=frame_ids)


@dataclass(frozen=True)
class Picture:
    """An encoded picture; `version` names its bytes."""

    content: bytes
    media_type: str
    version: str


def frame_image(platform: Platform, frame_id: str) -> Picture:
    """Give the picture of a frame as it was recorded.

    Raises: NotFound for an unknown frame, CorruptBlob where its bytes are not what they were.
    """
    with platform.catalog.transaction() as tx:
        image = frames_by_id(tx, [frame_id])[frame_id].image
    return Picture(platform.blobs.get(image.hash), image.media_type, image.hash)


def frame_thumbnail(platform: Platform, frame_id: str, *, longest: int) -> Picture:
    """Give a JPEG of a frame whose longer side is at most `longest` pixels.

    Raises: NotFound, CorruptBlob; InvalidInput where the frame is no picture.
    """
    whole = frame_image(platform, frame_id)
    return Picture(
        thumbnail_jpeg(whole.content, longest=longest), "image/jpeg", picture_version(whole.version, longest)
    )


def stored_picture(platform: Platform, blob_hash: str, *, longest: int) -> Picture:
    """Give a stored picture by the hash of its bytes: as it is where `longest` is 0, else as a thumbnail.

    Raises: NotFound, CorruptBlob; InvalidInput where the bytes are no picture.
    """
    content, version = platform.blobs.get(blob_hash), picture_version(blob_hash, longest)
    if longest == 0:
        return Picture(content, media_type_of(content), version)
    return Picture(thumbnail_jpeg(content, longest=longest), "image/jpeg", version)


def picture_version(blob_hash: str, longest: int) -> str:
    """Name the bytes of a stored picture of this size, 0 for its own."""
    return f"{blob_hash}-{longest}" if longest else blob_hash


class HeatmapShelf:
    """Heatmaps of picked frames, the newest few hundred kept; one is computed at a time."""

    def __init__(self, *, kept: int = 512) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._maps: OrderedDict[tuple[str, str], NDArray[Any]] = OrderedDict()

    def overlay(self, platform: Platform, round_id: str, frame_id: str, *, class_name: str) -> tuple[Picture, float]:
        """Give the disagreement over a frame as a PNG, a pixel a cell, and the nats of its strongest colour.

        Raises: NotFound for a round that is not there or did not pick the frame, InvalidInput where it has not
            trained yet, or for a class that its model does not know.
        """
        with platform.catalog.transaction() as tx:
            classes = round_named(tx, round_id).spec.model.classes
            picked = {pick.item_id for pick in selections_of(tx, round_id)}
        if class_name not in classes:
            raise InvalidInput(f"class {class_name!r}: the model of round {round_id} knows {', '.join(classes)}")
        if frame_id not in picked:
            raise NotFound(f"frame {frame_id}: round {round_id} did not pick it")
        cells = self._maps_of(platform, round_id, frame_id)[classes.index(class_name)]
        top = float(cells.max())
        return Picture(
            encode_png(heatmap_pixels(cells, top=top)), "image/png", f"{round_id}-{frame_id}-{class_name}"
        ), top

    def _maps_of(self, platform: Platform, round_id: str, frame_id: str) -> NDArray[Any]:
        with self._lock:
            if (round_id, frame_id) not in self._maps:
                self._maps[round_id, frame_id] = ensemble_heatmaps(platform, round_id, [frame_id])[0]
                while len(self._maps) > self._kept:
                    self._maps.popitem(last=False)
            return self._maps[round_id, frame_id]
