"""Pictures: frames and the disagreement over them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.catalog.frames import frames_by_id
from al_platform.catalog.models import ensemble_named
from al_platform.catalog.rounds import round_named
from al_platform.datasets.images import decode_picture
from al_platform.errors import InvalidInput
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
