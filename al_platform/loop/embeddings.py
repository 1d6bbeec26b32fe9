"""One vector a frame, for diversity: from the encoder's records, cached."""

from collections.abc import Sequence

import numpy as np

from al_platform.catalog import models as model_catalog
from al_platform.catalog.frames import frames_by_id
from al_platform.domain.rounds import Round
from al_platform.errors import InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.loop.models import ensure_encoder, frame_records, image_hashes, load_ensemble
from al_platform.models.families import family_named
from al_platform.models.scoring import make_embedder
from al_platform.storage.records import RecordCache

_EMBED_BATCH = 64


def frame_embeddings(
    context: LoopContext, round_: Round, pool: Sequence[str], labelled: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Give the embeddings of pool and labelled frames, float32 [N, D] and [L, D].

    Rows of pool frames that cannot be read are zero; such frames are never available.
    """
    spec = round_.spec
    with context.catalog.transaction() as tx:
        ensemble = model_catalog.ensemble_named(tx, round_.ensemble_id or "")
        images = image_hashes(frames_by_id(tx, [*pool, *labelled]))
    family = family_named(spec.model.family)
    encoder = ensure_encoder(context, spec.model, spec.pool_id)
    records = frame_records(context, spec.model, encoder)
    unreadable = records.ensure(images, context.report)
    source = ensemble.ensemble_id if family.embeds_with_weights else encoder.key
    embed = make_embedder(family, spec.model)
    parameters = load_ensemble(context, ensemble).parameters
    width = embed(parameters, np.zeros((_EMBED_BATCH, *encoder.shape), encoder.dtype)).shape[1]
    cache = RecordCache(
        context.cache_folder / "embeddings" / source, shape=(int(width),), dtype=np.dtype(np.float32)
    )
    missing = cache.missing(frame_id for frame_id in images if frame_id not in unreadable)
    for start in range(0, len(missing), _EMBED_BATCH):
        chunk = missing[start : start + _EMBED_BATCH]
        batch = records.take(chunk)
        padding = np.zeros((_EMBED_BATCH - len(chunk), *encoder.shape), encoder.dtype)
        cache.add(chunk, np.asarray(embed(parameters, np.concatenate([batch, padding])))[: len(chunk)])
    if any(frame_id in unreadable for frame_id in labelled):
        raise InvalidInput(f"labelled frames cannot be read: {', '.join(f for f in labelled if f in unreadable)}")
    embedded = np.zeros((len(pool), int(width)), np.float32)
    readable = [row for row, frame_id in enumerate(pool) if frame_id not in unreadable]
    embedded[readable] = cache.take([pool[row] for row in readable])
    return embedded, cache.take(labelled)
