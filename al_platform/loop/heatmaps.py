"""Heatmaps of what was selected: made afterwards, for a few frames; a pool's maps are never kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from al_platform.catalog.frames import frames_by_id
from al_platform.domain.models import EnsembleVersion
from al_platform.loop.context import LoopContext
from al_platform.loop.models import ensure_encoder, image_hashes, load_ensemble
from al_platform.models.batches import Rows
from al_platform.models.families import family_named
from al_platform.training.place import inputs_of
from al_platform.training.predict import heatmaps, mean_probabilities


@dataclass(frozen=True)
class Belief:
    """What an ensemble says of N frames, per class and cell."""

    probability: NDArray[Any]
    """[N, K, H, W], mean over the members of the probability that the class is there, in [0, 1]."""
    information: NDArray[Any]
    """[N, K, H, W], mutual information in [0, log 2] nats; higher = more to learn."""


def heatmaps_of(
    context: LoopContext, ensemble: EnsembleVersion, *, pool_id: str, frame_ids: Sequence[str]
) -> NDArray[Any]:
    """Give the mutual information per cell and class, [N, K, H, W] in [0, log 2] nats; higher = more to learn.

    Raises: InvalidInput for a frame that cannot be read.
    """
    inputs = _inputs(context, ensemble, pool_id, frame_ids)
    return heatmaps(family_named(ensemble.spec.family), ensemble.spec, load_ensemble(context, ensemble), inputs)


def belief_of(context: LoopContext, ensemble: EnsembleVersion, *, pool_id: str, frame_ids: Sequence[str]) -> Belief:
    """Give the mean probability and the mutual information of frames.

    Raises: InvalidInput for a frame that cannot be read.
    """
    inputs = _inputs(context, ensemble, pool_id, frame_ids)
    family, members = family_named(ensemble.spec.family), load_ensemble(context, ensemble)
    return Belief(
        mean_probabilities(family, ensemble.spec, members, inputs), heatmaps(family, ensemble.spec, members, inputs)
    )


def _inputs(context: LoopContext, ensemble: EnsembleVersion, pool_id: str, frame_ids: Sequence[str]) -> Rows:
    with context.catalog.transaction() as tx:
        frames = frames_by_id(tx, frame_ids)
    encoder = ensure_encoder(context, ensemble.spec, pool_id)
    return inputs_of(
        context.place,
        ensemble.spec,
        encoder,
        images=image_hashes(frames),
        frame_ids=frame_ids,
        report=context.report,
    )
