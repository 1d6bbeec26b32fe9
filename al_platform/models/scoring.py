"""The forward pass of an ensemble fused with what is asked of it: no member's map leaves the computation.

Axes: M members, B batch, K classes, H x W cells. Every function here is made once for a family and a
specification and compiles once for each batch size: keep to one (`batches.padded_batches`, in multiples of
`CPU_GROUP`). Frames do not see one another, so padding never changes a result.
"""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from acquisition.information import mean_probability, mutual_information
from acquisition.measures import FrameMeasures, frame_measures
from al_platform.domain.models import ModelSpec
from al_platform.models.base import ModelFamily, Parameters
from al_platform.models.batches import in_groups

CPU_GROUP = 16
"""Frames that are scored together on a CPU."""

Score = Callable[[Parameters, Array, Array], FrameMeasures]
"""(parameters [M, ...], temperatures [M], inputs [B, ...]) -> measures, each [B, K]."""

Maps = Callable[[Parameters, Array, Array], Array]
"""(parameters [M, ...], temperatures [M], inputs [B, ...]) -> [B, K, H, W]."""

Result = TypeVar("Result")

Logits = Callable[[Parameters, Array], Array]
"""(parameters [M, ...], inputs [B, ...]) -> [M, B, K, H, W]."""


def make_scorer(family: ModelFamily, spec: ModelSpec) -> Score:
    """Everything that strategies ask of a frame, from the calibrated members; what runs over a whole pool."""
    return _fused(family, spec, frame_measures)


def make_heatmaps(family: ModelFamily, spec: ModelSpec) -> Maps:
    """Mutual information of each cell in nats, >= 0; higher = more informative. For frames that are kept."""
    return _fused(family, spec, mutual_information)


def make_mean_probability(family: ModelFamily, spec: ModelSpec) -> Maps:
    """The ensemble's probability of each class in each cell: the mean over its calibrated members."""
    return _fused(family, spec, mean_probability)


@cache
def make_logits(family: ModelFamily, spec: ModelSpec) -> Logits:
    """Logits before calibration, for what is fitted on them."""
    return jax.jit(lambda parameters, inputs: family.score_logits(spec, parameters, inputs))


@cache
def make_embedder(family: ModelFamily, spec: ModelSpec) -> Logits:
    """(parameters [M, ...], inputs [B, ...]) -> [B, D]: one vector a frame, for diversity."""
    return jax.jit(lambda parameters, inputs: family.embed(spec, parameters, inputs))


def calibrated(
    logits_MBKHW: Float[Array, "M B K H W"], temperatures_M: Float[Array, " M"]
) -> Float[Array, "M B K H W"]:
    """Logits divided by their member's temperature. Source: Guo et al. 2017, Eq. 9."""
    return logits_MBKHW / temperatures_M[:, None, None, None, None]


@cache
def _fused(
    family: ModelFamily, spec: ModelSpec, measure: Callable[[Array], Result]
) -> Callable[[Parameters, Array, Array], Result]:
    def measured(parameters: Parameters, temperatures_M: Array, inputs: Array) -> Result:
        def of_frames(frames: Array) -> Result:
            logits_MBKHW = family.score_logits(spec, parameters, frames)
            return measure(calibrated(logits_MBKHW, jnp.asarray(temperatures_M)))

        if jax.default_backend() != "cpu":
            return of_frames(jnp.asarray(inputs))
        return in_groups(of_frames, inputs, at_most=CPU_GROUP)

    return jax.jit(measured)
