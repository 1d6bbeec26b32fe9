"""Frames as the items of a round: an ensemble that looks at them, known classes, positive cells."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import jax
import pyarrow as pa

from al_platform.catalog import datasets as dataset_catalog
from al_platform.catalog import models as model_catalog
from al_platform.catalog.connection import Transaction
from al_platform.catalog.frames import frames_by_id
from al_platform.domain.driving import PolicyModel
from al_platform.domain.labels import Annotation, Label
from al_platform.domain.models import ModelSpec
from al_platform.domain.rounds import Round, RoundSpec
from al_platform.domain.scores import ScoringJob
from al_platform.errors import InvalidInput, NotFound
from al_platform.loop.context import LoopContext
from al_platform.loop.models import encoder_id_of, ensure_encoder, image_hashes, labelled_frames, presence_maps
from al_platform.models.base import ModelFamily
from al_platform.models.families import family_named
from al_platform.models.records import Unreadable
from al_platform.scoring.job import make_job
from al_platform.training.place import ensure_records, frame_records


def sessions_of_frames(tx: Transaction, frame_ids: Sequence[str]) -> dict[str, str]:
    """Give the session of each of these frames. Raises: NotFound."""
    return {name: frame.session_id for name, frame in frames_by_id(tx, frame_ids).items()}


def suited_to_all(tx: Transaction, targets: Sequence[str], pool: pa.ChunkedArray) -> None:
    """Any frame may show any class."""
    del tx, targets, pool


def require_trainable(spec: RoundSpec) -> None:
    """Check that the family has members of this specification; shapes alone are computed.

    Raises: InvalidInput for an unknown family, a size below 1, an image that the family cannot take, or a noise guard.
    """
    if spec.strategy.guard is not None:
        raise InvalidInput(f"guard {spec.strategy.guard:g}: learns from the triage of scenarios, frames have none")
    model = spec.frame_model
    family = family_named(model.family)
    for name, size in model.options.items():
        if size < 1:
            raise InvalidInput(f"{name} {size}: must be at least 1")
    _shapes(family, model)


def require_known_classes(context: LoopContext, spec: RoundSpec) -> None:
    """Check that the labels of the round's dataset version say of every class whether it is there.

    Raises: InvalidInput naming the classes that they do not speak of; NotFound for an unknown version.
    """
    _, _, annotations = labelled_frames(context, spec.dataset_version_id)
    known = {name for annotation in annotations.values() for name in annotation.classes}
    described = f"dataset version {spec.dataset_version_id}"
    require_labelled_classes(spec.frame_model.classes, known, described=described)


def require_labelled_classes(classes: Sequence[str], known: set[str], *, described: str) -> None:
    """Check that labels say of every class whether it is there.

    Raises: InvalidInput naming the classes that they do not speak of.
    """
    unknown = [name for name in classes if name not in known]
    if unknown:
        raise InvalidInput(
            f"class {', '.join(unknown)}: no label of {described} says whether it is there; known are "
            f"{', '.join(sorted(known)) or 'none'}"
        )


def begin_with_last_members(tx: Transaction, wanted: RoundSpec, last: Round) -> RoundSpec:
    """Give a round whose members begin as those of the round before; fresh ones where the encoder is another."""
    ensemble = model_catalog.find_ensemble(tx, last.ensemble_id or "")
    if ensemble is None or ensemble.encoder_id != encoder_id_of(wanted.frame_model, wanted.pool_id):
        return wanted
    return replace(wanted, initial_ensemble_id=ensemble.ensemble_id)


def ensemble_weights(tx: Transaction, ensemble_id: str) -> str:
    """Give the hash of an ensemble's weights. Raises: NotFound."""
    return model_catalog.ensemble_named(tx, ensemble_id).weights_hash


def frame_job(
    tx: Transaction, context: LoopContext, model: ModelSpec | PolicyModel, ensemble_id: str, pool_id: str
) -> ScoringJob:
    """Give the job of scoring a pool by an ensemble, whose own specification is that of the model.

    Raises: NotFound for an unknown ensemble, encoder or pool.
    """
    del model
    ensemble = model_catalog.ensemble_named(tx, ensemble_id)
    encoder_hash = model_catalog.encoder_blob(tx, ensemble.encoder_id)
    if encoder_hash is None:
        raise NotFound(f"encoder {ensemble.encoder_id} of ensemble {ensemble_id}: not in the catalog")
    return make_job(
        ensemble.spec,
        encoder_hash=encoder_hash,
        weights_hash=ensemble.weights_hash,
        temperatures=tuple(member.temperature for member in ensemble.members),
        pool_manifest_hash=dataset_catalog.pool_rows(tx, context.blobs, pool_id),
        frames=dataset_catalog.pool_size(tx, pool_id),
    )


def lost_frames(context: LoopContext, round_: Round, frame_ids: Sequence[str]) -> Unreadable:
    """Give those of these frames that cannot be read, and why; the others are encoded now."""
    model = round_.spec.frame_model
    records = frame_records(context.place, model, ensure_encoder(context, model, round_.spec.pool_id))
    with context.catalog.transaction() as tx:
        images = image_hashes(frames_by_id(tx, frame_ids))
    return ensure_records(records, images, context.report)


def positive_cells(context: LoopContext, round_: Round, labels: Sequence[Label]) -> int:
    """Give how many cells of the labels hold one of the round's targets."""
    model = round_.spec.frame_model
    columns = [model.classes.index(name) for name in round_.spec.targets]
    annotations = [label for label in labels if isinstance(label, Annotation)]
    return int((presence_maps(context, model).of(annotations)[:, columns] == 1).sum()) if annotations else 0


@lru_cache(maxsize=256)
def _shapes(family: ModelFamily, model: ModelSpec) -> None:
    """Compute the shapes of a member, once for a specification: it takes as long as many requests."""
    jax.eval_shape(lambda: family.init(model, jax.random.key(0)))
