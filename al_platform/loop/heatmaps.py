"""Heatmaps of what was selected: made afterwards, for a few frames; a pool's maps are never kept."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from al_platform.catalog.frames import frames_by_id
from al_platform.domain.models import EnsembleVersion
from al_platform.loop.context import LoopContext
from al_platform.loop.models import ensure_encoder, inputs_of, load_ensemble
from al_platform.models.families import family_named
from al_platform.training.predict import heatmaps


def heatmaps_of(
    context: LoopContext, ensemble: EnsembleVersion, *, pool_id: str, frame_ids: Sequence[str]
) -> NDArray[Any]:
    """Give the mutual information per cell and class, [N, K, H, W] in [0, log 2] nats; higher = more to learn.

    Raises: InvalidInput for a frame that cannot be read.
    """
    spec = ensemble.spec
    with context.catalog.transaction() as tx:
        frames = frames_by_id(tx, frame_ids)
    encoder = ensure_encoder(context, spec, pool_id)
    inputs = inputs_of(context, spec, encoder, frames=frames, frame_ids=frame_ids)
    return heatmaps(family_named(spec.family), spec, load_ensemble(context, ensemble), inputs)
