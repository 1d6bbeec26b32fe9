"""Encoders and ensembles of a round, with the arrays they read and write."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from al_platform.catalog import datasets as dataset_catalog
from al_platform.catalog import models as model_catalog
from al_platform.catalog.annotations import annotations_by_id
from al_platform.catalog.connection import Transaction
from al_platform.catalog.frames import frames_by_id
from al_platform.domain.clock import utc_now
from al_platform.domain.data import Frame
from al_platform.domain.datasets import DatasetItem
from al_platform.domain.ids import make_id
from al_platform.domain.labels import Annotation
from al_platform.domain.models import EnsembleVersion, ModelSpec
from al_platform.loop.context import LoopContext
from al_platform.models.base import Encoder, ModelFamily
from al_platform.models.families import family_named
from al_platform.models.records import image_batches
from al_platform.models.weights import weights_from_bytes
from al_platform.training.ensemble import TrainedEnsemble
from al_platform.training.inputs import PresenceMaps

_ENCODER_SAMPLE = 128
"""Frames of the pool that an encoder is fitted on, at most; drawn by seed 0, labels unseen."""


def encoder_id_of(spec: ModelSpec, pool_id: str) -> str:
    """Name the encoder: the same architecture on the same pool is fitted once."""
    return make_id("enc", spec.family, spec.grid, spec.options, pool_id, _ENCODER_SAMPLE)


def ensure_encoder(context: LoopContext, spec: ModelSpec, pool_id: str) -> Encoder:
    """Give the encoder for this pool, fitting it where it is new."""
    family, encoder_id = family_named(spec.family), encoder_id_of(spec, pool_id)
    with context.catalog.transaction() as tx:
        blob_hash = model_catalog.encoder_blob(tx, encoder_id)
        images = [] if blob_hash else encoder_images(tx, context, pool_id)
    if blob_hash is None:
        batches = image_batches(images, spec.grid, blobs=context.blobs, report=context.report)
        blob_hash = context.blobs.put(family.fit_encoder(spec, batches)).hash
        with context.catalog.transaction() as tx:
            model_catalog.add_encoder(
                tx, encoder_id, family=spec.family, pool_id=pool_id, blob_hash=blob_hash, now=utc_now()
            )
    return family.load_encoder(spec, context.blobs.get(blob_hash))


def presence_maps(context: LoopContext, spec: ModelSpec) -> PresenceMaps:
    """Give the cached presence maps for the classes and the grid of a model."""
    return PresenceMaps(spec.classes, spec.grid, blobs=context.blobs, caches=context.caches)


def load_ensemble(context: LoopContext, ensemble: EnsembleVersion) -> TrainedEnsemble:
    """Give the weights behind an ensemble version."""
    family: ModelFamily = family_named(ensemble.spec.family)
    content = context.blobs.get(ensemble.weights_hash)
    return TrainedEnsemble(weights_from_bytes(family, ensemble.spec, content), ensemble.members)


def labelled_frames(
    context: LoopContext, version_id: str
) -> tuple[list[DatasetItem], dict[str, Frame], dict[str, Annotation]]:
    """Give the items of a dataset version with their frames and labels."""
    with context.catalog.transaction() as tx:
        items = dataset_catalog.version_items(tx, context.blobs, version_id)
        frames = frames_by_id(tx, [item.item_id for item in items])
        annotations = annotations_by_id(tx, [item.annotation_id for item in items])
    return items, frames, annotations


def image_hashes(frames: Mapping[str, Frame]) -> dict[str, str]:
    """Give {frame id: image hash}."""
    return {frame_id: frame.image.hash for frame_id, frame in frames.items()}


def image_table(tx: Transaction, frame_ids: Sequence[str]) -> pa.Table:
    """Give item_id and image_hash of these frames, in their order.

    Raises: NotFound for an unknown frame.
    """
    images = image_hashes(frames_by_id(tx, frame_ids))
    columns = [pa.array(frame_ids, pa.string()), pa.array([images[each] for each in frame_ids], pa.string())]
    return pa.table(columns, names=["item_id", "image_hash"])


def encoder_images(tx: Transaction, context: LoopContext, pool_id: str) -> list[str]:
    """Give the content hashes of the pictures of a pool that an encoder is fitted on."""
    pool = dataset_catalog.pool_table(tx, context.blobs, pool_id)
    rows = np.sort(np.random.default_rng(0).permutation(pool.num_rows)[:_ENCODER_SAMPLE])
    chosen = pool.take(rows)
    hashes: list[str] = chosen["image_hash"].to_pylist()
    return list(dict.fromkeys(hashes))
