"""TRAIN: from a dataset version to a measured ensemble; the same inputs never train twice."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from al_platform.catalog import models as model_catalog
from al_platform.domain.clock import utc_now
from al_platform.domain.data import Frame
from al_platform.domain.datasets import DatasetItem
from al_platform.domain.ids import make_id
from al_platform.domain.models import EnsembleVersion, ModelSpec
from al_platform.domain.rounds import RoundSpec
from al_platform.errors import InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.loop.curriculum import curriculum_weights
from al_platform.loop.models import (
    encoder_id_of,
    ensure_encoder,
    inputs_of,
    labelled_frames,
    load_ensemble,
    presence_maps,
)
from al_platform.models.base import Parameters
from al_platform.models.batches import Rows
from al_platform.models.families import family_named
from al_platform.models.weights import weights_to_bytes
from al_platform.training.checkpoints import OrbaxCheckpoints
from al_platform.training.ensemble import TrainedEnsemble, train_ensemble
from al_platform.training.evaluate import measure
from al_platform.training.folds import deal_folds
from al_platform.training.frames import LabeledFrames
from al_platform.training.predict import mean_probabilities


@dataclass(frozen=True)
class TrainOutcome:
    """Which ensemble came out, from how many labelled frames, and whether it was there already."""

    ensemble_id: str
    labelled_frames: int
    cached: bool


@dataclass(frozen=True)
class _Dataset:
    """A dataset version as arrays, rows in the order of its items."""

    items: list[DatasetItem]
    frames: Mapping[str, Frame]
    inputs: Rows
    presence: NDArray[Any]


def train_round(context: LoopContext, spec: RoundSpec) -> TrainOutcome:
    """Train the ensemble of a round, or find it; measure it on the round's test set, or find that.

    The ensemble's id is the hash of all that determines it, so a crash between two commits repeats at most
    the work since the last checkpoint.
    """
    encoder_id = encoder_id_of(spec.model, spec.pool_id)
    initial = [spec.initial_ensemble_id] if spec.initial_ensemble_id else []
    inputs = (spec.model, spec.dataset_version_id, encoder_id, spec.seed, list(spec.curriculum), *initial)
    ensemble_id = make_id("ens", *inputs)
    with context.catalog.transaction() as tx:
        known = model_catalog.find_ensemble(tx, ensemble_id)
        test = spec.test_version_id
        measured = known and (test is None or model_catalog.metrics_of(tx, ensemble_id, test))
    if known:
        _checkpoints(context, ensemble_id).clear()  # left by a run that died before it could
    if known and measured:
        return TrainOutcome(ensemble_id, _items_of(context, spec.dataset_version_id), cached=True)
    labelled = 0
    if known is None:
        dataset = _dataset(context, spec.model, spec.pool_id, spec.dataset_version_id)
        labelled = len(dataset.items)
        known = _train(context, spec, dataset, ensemble_id, encoder_id)
    if spec.test_version_id is not None:
        _measure(context, spec, known, spec.test_version_id)
    return TrainOutcome(ensemble_id, labelled or _items_of(context, spec.dataset_version_id), cached=False)


def _train(
    context: LoopContext, spec: RoundSpec, dataset: _Dataset, ensemble_id: str, encoder_id: str
) -> EnsembleVersion:
    model, frames = spec.model, [dataset.frames[item.frame_id] for item in dataset.items]
    folds = deal_folds(
        [frame.session_id for frame in frames],
        [frame.frame_number for frame in frames],
        folds=model.training.validation_folds,
        seed=spec.seed,
    )
    weights = curriculum_weights(context, spec.curriculum, [item.frame_id for item in dataset.items])
    checkpoints = _checkpoints(context, ensemble_id)
    trained = train_ensemble(
        family_named(model.family),
        model,
        LabeledFrames(dataset.inputs, dataset.presence, folds, weights),
        seed=spec.seed,
        checkpoints=checkpoints,
        report=context.report,
        initial=_initial_members(context, spec, encoder_id),
    )
    ensemble = _ensemble_version(context, spec, trained, ensemble_id, encoder_id)
    with context.catalog.transaction() as tx:
        model_catalog.add_ensemble(tx, ensemble, now=utc_now())
    checkpoints.clear()
    return ensemble


def _initial_members(context: LoopContext, spec: RoundSpec, encoder_id: str) -> Parameters | None:
    """The members that training begins with, None for fresh ones."""
    if spec.initial_ensemble_id is None:
        return None
    with context.catalog.transaction() as tx:
        before = model_catalog.ensemble_named(tx, spec.initial_ensemble_id)
    if before.encoder_id != encoder_id or replace(before.spec, training=spec.model.training) != spec.model:
        raise InvalidInput(
            f"initial ensemble {before.ensemble_id}: is of another model or encoder; leave it out for fresh members"
        )
    return load_ensemble(context, before).parameters


def _ensemble_version(
    context: LoopContext, spec: RoundSpec, trained: TrainedEnsemble, ensemble_id: str, encoder_id: str
) -> EnsembleVersion:
    weights = context.blobs.put(weights_to_bytes(trained.parameters), media_type="application/msgpack")
    return EnsembleVersion(
        ensemble_id=ensemble_id,
        spec=spec.model,
        dataset_version_id=spec.dataset_version_id,
        encoder_id=encoder_id,
        seed=spec.seed,
        weights_hash=weights.hash,
        members=trained.members,
    )


def _checkpoints(context: LoopContext, ensemble_id: str) -> OrbaxCheckpoints:
    return OrbaxCheckpoints(context.runs_folder / ensemble_id, every_s=context.checkpoint_every_s)


def _measure(context: LoopContext, spec: RoundSpec, ensemble: EnsembleVersion, test_version_id: str) -> None:
    test = _dataset(context, spec.model, spec.pool_id, test_version_id)
    probabilities = mean_probabilities(
        family_named(spec.model.family), spec.model, load_ensemble(context, ensemble), test.inputs
    )
    metrics = measure(probabilities, test.presence, spec.model.classes)
    with context.catalog.transaction() as tx:
        model_catalog.add_metrics(tx, ensemble.ensemble_id, test_version_id, metrics)


def _dataset(context: LoopContext, model: ModelSpec, pool_id: str, version_id: str) -> _Dataset:
    items, frames, annotations = labelled_frames(context, version_id)
    if not items:
        raise InvalidInput(f"dataset version {version_id}: is empty; give a start set of at least 1 labelled frame")
    encoder = ensure_encoder(context, model, pool_id)
    inputs = inputs_of(context, model, encoder, frames=frames, frame_ids=[item.frame_id for item in items])
    presence = presence_maps(context, model).of([annotations[item.annotation_id] for item in items])
    return _Dataset(items, frames, inputs, presence)


def _items_of(context: LoopContext, version_id: str) -> int:
    return len(labelled_frames(context, version_id)[0])
