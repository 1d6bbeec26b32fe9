"""What is kept of each scene once an ensemble of drivers has driven it: the measures of frames, of scenes.

An outcome is a map of one cell: each driver says how likely it is by how often it came about on its drives. What the
drivers would do along a recording, and how little they expected what was recorded, are maps whose cells are steps.

Axes: M members, D drives of each, *b any batch (scenes), K outcomes, T steps, A acceleration bins, S steering-rate
bins. Meant to be called inside the jit that drives.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from acquisition.driving import (
    action_information,
    action_surprise,
    action_uncertainty,
    outcome_information,
    outcome_uncertainty,
)
from acquisition.information import share_of
from acquisition.measures import FrameMeasures
from acquisition.reductions import max_over_cells, mean_over_cells, sum_over_cells, top_mean

TOP_STEPS = 0.1
"""The share of a scene's steps that counts as its top."""

PerStep = Float[Array, "*b T"]


def outcome_measures(happened: Float[Array, "M *b K"]) -> FrameMeasures:
    """Measures [*b K] of outcomes, of which `happened` is the share of a driver's drives that saw them, in [0, 1].

    Information is in [0, log 2] nats: 0 where all drivers fare alike. Mass is the mean share. The aleatoric share is
    that of the openness which each driver's own drives already show: 0 where every driver makes one drive, unless
    nothing is open.
    """
    information = outcome_information(happened)
    own = outcome_uncertainty(happened)
    return _one_cell(information, own, spread=happened.var(axis=0), mass=happened.mean(axis=0))


def progress_measures(progress: Float[Array, "M D *b"]) -> FrameMeasures:
    """Measures [*b] of how far drivers get: the variance between them, in the square of its unit.

    Entropy is the variance of all drives, of which the aleatoric share is within drivers. Mass is the mean, at least 0.
    """
    between = progress.mean(axis=1).var(axis=0)
    within = progress.var(axis=1).mean(axis=0)
    return _one_cell(between, within, spread=between, mass=jnp.maximum(progress.mean(axis=(0, 1)), 0.0))


def action_measures(
    logits: tuple[Float[Array, "M *b T A"], Float[Array, "M *b T S"]],
    taken: Int[Array, "*b T 2"],
    valid: Bool[Array, "*b T"],
    *,
    values: Float[Array, "A"],
    tolerance_bins: tuple[float, float],
) -> FrameMeasures:
    """Measures [*b] of what drivers would do along a recording, over its valid steps.

    Information is that of the joint choice (see `action_information`), nats a step in [0, log M]. Entropy adds to it
    the mean entropy of the drivers' own choices, which is its aleatoric part. Variance is that of the accelerations
    which they expect to choose, of bins of these `values` (m/s^2), summed over the steps: the second number, for
    information is blind to how far bins lie apart. Mass is the number of steps at which they would do otherwise.
    """
    information = action_information(*logits, tolerance_bins=tolerance_bins)
    expected = (jax.nn.softmax(logits[0]) * values).sum(-1)
    own = action_uncertainty(*logits)
    spread, mass = expected.var(axis=0), _otherwise(logits, taken)
    return _over_steps(information, information + own, own, spread=spread, mass=mass, valid=valid)


def surprise_measures(
    logits: tuple[Float[Array, "M *b T A"], Float[Array, "M *b T S"]],
    taken: Int[Array, "*b T 2"],
    valid: Bool[Array, "*b T"],
) -> FrameMeasures:
    """Measures [*b] of how little drivers expected what was `taken`, in place of information and entropy; nats.

    The aleatoric share is that which the openness of the drivers' own choices explains. Variance is that of the
    probability that they give to what was taken.
    """
    surprise, own = action_surprise(*logits, taken), action_uncertainty(*logits)
    chances = jnp.exp(-jax.vmap(partial(_surprise_of_one, taken=taken))(logits))
    return _over_steps(surprise, surprise, own, spread=chances.var(axis=0), mass=_otherwise(logits, taken), valid=valid)


def _surprise_of_one(
    logits: tuple[Float[Array, "*b T A"], Float[Array, "*b T S"]], taken: Int[Array, "*b T 2"]
) -> PerStep:
    return action_surprise(logits[0][None], logits[1][None], taken)


def _otherwise(logits: tuple[Array, Array], taken: Int[Array, "*b T 2"]) -> PerStep:
    return -jnp.expm1(-jnp.maximum(action_surprise(*logits, taken), 0.0))


def _one_cell(information: Array, own: Array, *, spread: Array, mass: Array) -> FrameMeasures:
    """Measures of a map whose one cell this is; `own` is the part of its openness that no training takes away."""
    return FrameMeasures(
        mi_sum=information,
        mi_mean=information,
        mi_max=information,
        mi_top=information,
        entropy_sum=information + own,
        expected_entropy_sum=own,
        variance_sum=spread,
        mass_sum=mass,
        aleatoric_share=share_of(own, information + own),
    )


def _over_steps(
    information: PerStep, entropy: PerStep, own: PerStep, *, spread: PerStep, mass: PerStep, valid: Bool[Array, "*b T"]
) -> FrameMeasures:
    whole, part = sum_over_cells(entropy, valid), sum_over_cells(own, valid)
    return FrameMeasures(
        mi_sum=sum_over_cells(information, valid),
        mi_mean=mean_over_cells(information, valid),
        mi_max=max_over_cells(information, valid),
        mi_top=top_mean(information, valid, share=TOP_STEPS),
        entropy_sum=whole,
        expected_entropy_sum=part,
        variance_sum=sum_over_cells(spread, valid),
        mass_sum=sum_over_cells(mass, valid),
        aleatoric_share=share_of(part, whole),
    )
