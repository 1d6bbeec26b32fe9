"""From labelled frames to a calibrated ensemble."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from al_platform.domain.models import ModelSpec, ModelVersion
from al_platform.domain.progress import ReportProgress
from al_platform.errors import InvalidInput, TrainingDiverged
from al_platform.models.base import ModelFamily, Parameters
from al_platform.models.batches import padded_batches
from al_platform.models.scoring import make_logits
from al_platform.training.calibrate import fit_temperature
from al_platform.training.fit import Checkpoints, fit_ensemble
from al_platform.training.frames import UNKNOWN, LabeledFrames

_PREDICT_BATCH = 64


@dataclass(frozen=True)
class TrainedEnsemble:
    """Weights of all members, stacked [M, ...], and what is known of each."""

    parameters: Parameters
    members: tuple[ModelVersion, ...]

    @property
    def temperatures(self) -> NDArray[Any]:
        """[M] by which logits are divided."""
        return np.array([member.temperature for member in self.members], np.float32)


def train_ensemble(
    family: ModelFamily,
    spec: ModelSpec,
    frames: LabeledFrames,
    *,
    seed: int,
    checkpoints: Checkpoints,
    report: ReportProgress,
    initial: Parameters | None = None,
) -> TrainedEnsemble:
    """Train all members, stop each at its best validation loss, calibrate on what each had not seen.

    Members begin as `initial`, stacked [M, ...], where it is given; else fresh.

    Raises: InvalidInput without frames, or for a class of which no cell is known; TrainingDiverged for a member whose
        loss was never a number.
    """
    if len(frames.folds) == 0:
        raise InvalidInput("no labelled frames: label a start set first, for example `alp loop run --start 40`")
    for index, name in enumerate(spec.classes):
        if (frames.presence[:, index] == UNKNOWN).all():
            raise InvalidInput(f"class {name}: no label of the version says whether it is there; check its name")
    state = fit_ensemble(family, spec, frames, seed=seed, checkpoints=checkpoints, report=report, initial=initial)
    for member in np.flatnonzero(np.asarray(state.best_step) == 0):
        raise TrainingDiverged(
            f"member {member}: its validation loss was never a number; lower the rate {spec.training.learning_rate}"
        )
    temperature = _held_out_temperature(family, spec, frames, state.best_parameters)
    members = tuple(
        ModelVersion(
            member=index,
            best_step=int(state.best_step[index]),
            validation_loss=min(float(state.best_loss[index]), float(np.finfo(np.float32).max)),
            temperature=temperature,
        )
        for index in range(spec.members)
    )
    return TrainedEnsemble(jax.tree.map(np.asarray, state.best_parameters), members)


def _held_out_temperature(family: ModelFamily, spec: ModelSpec, frames: LabeledFrames, parameters: Parameters) -> float:
    """One temperature for all members, from each labelled frame as seen by those that did not train on it."""
    logits_of = make_logits(family, spec)
    batches = padded_batches(frames.inputs, _PREDICT_BATCH)
    logits = np.concatenate(
        [np.asarray(logits_of(parameters, jnp.asarray(batch)))[:, :count] for batch, count in batches], axis=1
    )
    member_folds = np.arange(spec.members) % spec.training.validation_folds
    unseen = frames.folds[None, :] == member_folds[:, None]
    presence = np.broadcast_to(frames.presence, logits.shape)
    return fit_temperature(logits[unseen], presence[unseen])
