"""What an ensemble says of frames it was not trained on."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from al_platform.domain.models import ModelSpec
from al_platform.models.base import ModelFamily
from al_platform.models.batches import Rows, padded_batches
from al_platform.models.scoring import Maps, make_heatmaps, make_mean_probability
from al_platform.training.ensemble import TrainedEnsemble

PREDICT_BATCH = 64


def mean_probabilities(family: ModelFamily, spec: ModelSpec, trained: TrainedEnsemble, inputs: Rows) -> NDArray[Any]:
    """Give the members' mean calibrated probability of presence, [N, K, H, W] in [0, 1]."""
    return _over_batches(make_mean_probability(family, spec), trained, inputs)


def heatmaps(family: ModelFamily, spec: ModelSpec, trained: TrainedEnsemble, inputs: Rows) -> NDArray[Any]:
    """Give the mutual information of every cell and class, [N, K, H, W] in [0, log 2] nats."""
    return _over_batches(make_heatmaps(family, spec), trained, inputs)


def _over_batches(maps: Maps, trained: TrainedEnsemble, inputs: Rows) -> NDArray[Any]:
    temperatures = jnp.asarray(trained.temperatures)
    return np.concatenate(
        [
            np.asarray(maps(trained.parameters, temperatures, jnp.asarray(batch)))[:count]
            for batch, count in padded_batches(inputs, PREDICT_BATCH)
        ]
    )
