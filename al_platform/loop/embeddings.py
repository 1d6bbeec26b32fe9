"""The embeddings that a strategy or a search asks for: a few are computed here, many by a job."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.catalog import models as model_catalog
from al_platform.catalog.frames import frames_by_id
from al_platform.compute.waiting import require_well, run_to_end
from al_platform.domain.jobs import Job
from al_platform.domain.rounds import Round
from al_platform.errors import InvalidInput, NotFound
from al_platform.loop.context import LoopContext
from al_platform.loop.models import image_hashes
from al_platform.models.records import Unreadable
from al_platform.training.embedding import KIND, EmbeddingModel, open_embedder, write_embedding_job

_FEW = 256
"""So many vectors are computed faster than a process starts."""


@dataclass(frozen=True)
class FrameEmbeddings:
    """One vector a frame, float32 [N, D] for the pool and [L, D] for the labelled frames."""

    pool: NDArray[Any]
    """Rows of frames that cannot be read are zero: whoever picks must leave them out."""
    labelled: NDArray[Any]
    unreadable: Unreadable


def frame_embeddings(
    context: LoopContext, round_: Round, pool: Sequence[str], labelled: Sequence[str]
) -> FrameEmbeddings:
    """Give the embeddings of pool and labelled frames.

    Raises: InvalidInput when a labelled frame cannot be read; what ended the job.
    """
    with context.catalog.transaction() as tx:
        ensemble = model_catalog.ensemble_named(tx, round_.ensemble_id or "")
        encoder_hash = model_catalog.encoder_blob(tx, ensemble.encoder_id)
        images = image_hashes(frames_by_id(tx, [*pool, *labelled]))
    if encoder_hash is None:
        raise NotFound(f"encoder {ensemble.encoder_id} of ensemble {ensemble.ensemble_id}: not in the catalog")
    model = EmbeddingModel(ensemble.spec, ensemble.ensemble_id, ensemble.weights_hash, encoder_hash)
    _compute_many(context, model, list(images.values()))
    embedder = open_embedder(context.place, model)
    lost = embedder.ensure(list(images.values()), context.report)
    unreadable = {frame_id: lost[image] for frame_id, image in images.items() if image in lost}
    for frame_id in labelled:
        if frame_id in unreadable:
            raise InvalidInput(f"frame {frame_id}: is labelled, but cannot be read ({unreadable[frame_id]})")
    present = np.array([frame_id not in unreadable for frame_id in pool])
    vectors = embedder.cache.take([images[frame_id] for frame_id in pool if frame_id not in unreadable])
    embeddings = np.zeros((len(pool), vectors.shape[1]), np.float32)
    embeddings[present] = vectors
    return FrameEmbeddings(embeddings, embedder.cache.take([images[frame_id] for frame_id in labelled]), unreadable)


def _compute_many(context: LoopContext, model: EmbeddingModel, images: Sequence[str]) -> None:
    """Have a job compute what is missing where that is much; what cannot be read is left to whoever asks."""
    if len(open_embedder(context.place, model).cache.missing(images)) <= _FEW:
        return
    job = write_embedding_job(context.place.files, context.blobs, model, images)
    work = Job(KIND, job.name, context.workplace)
    require_well(job.embedding_id, run_to_end(context.compute, job.embedding_id, work, report=context.report))
    context.caches.forget()
