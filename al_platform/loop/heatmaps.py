"""Heatmaps of what was selected: made afterwards, for a few frames; a pool's maps are never kept."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from al_platform.catalog.frames import frames_by_id
from al_platform.catalog.models import encoder_blob
from al_platform.compute.waiting import finish
from al_platform.domain.jobs import Job
from al_platform.domain.models import EnsembleVersion
from al_platform.errors import NotFound
from al_platform.loop.context import LoopContext
from al_platform.loop.models import ensure_encoder, image_hashes, load_ensemble
from al_platform.models.families import family_named
from al_platform.training.belief import KIND, Belief, find_belief, make_belief_job, write_belief_job
from al_platform.training.place import inputs_of
from al_platform.training.predict import heatmaps


def heatmaps_of(
    context: LoopContext, ensemble: EnsembleVersion, *, pool_id: str, frame_ids: Sequence[str]
) -> NDArray[Any]:
    """Give the mutual information per cell and class, [N, K, H, W] in [0, log 2] nats; higher = more to learn.

    Computed here and now: for the few frames that somebody looks at.

    Raises: InvalidInput for a frame that cannot be read.
    """
    with context.catalog.transaction() as tx:
        frames = frames_by_id(tx, frame_ids)
    encoder = ensure_encoder(context, ensemble.spec, pool_id)
    inputs = inputs_of(
        context.place, ensemble.spec, encoder, images=image_hashes(frames), frame_ids=frame_ids, report=context.report
    )
    return heatmaps(family_named(ensemble.spec.family), ensemble.spec, load_ensemble(context, ensemble), inputs)


def belief_of(context: LoopContext, ensemble: EnsembleVersion, frame_ids: Sequence[str]) -> Belief:
    """Give the mean probability and the mutual information of many frames, by a job; asked again they are found.

    Raises: InvalidInput for a frame that cannot be read; as `compute.waiting.finish`.
    """
    with context.catalog.transaction() as tx:
        frames = frames_by_id(tx, frame_ids)
        encoder_hash = encoder_blob(tx, ensemble.encoder_id)
    if encoder_hash is None:
        raise NotFound(f"encoder {ensemble.encoder_id} of ensemble {ensemble.ensemble_id}: not in the catalog")
    asked = tuple((frame_id, frames[frame_id].image.hash) for frame_id in frame_ids)
    job, files = make_belief_job(ensemble, encoder_hash=encoder_hash, frames=asked), context.place.files
    write_belief_job(files, job)
    finish(
        context.compute,
        job.belief_id,
        Job(KIND, job.name, context.workplace),
        finished=lambda: find_belief(files, context.blobs, job) is not None,
        report=context.report,
    )
    belief = find_belief(files, context.blobs, job)
    if belief is None:
        raise NotFound(f"belief {job.belief_id}: was deleted meanwhile; send the round again")
    return belief
