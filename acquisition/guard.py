"""What people would reject, learned from what they rejected: a logistic regression on a few numbers of each item.

Each number is brought to mean 0 and deviation 1 over the verdicts, and its weight has a standard normal prior, so few
verdicts move little; the intercept is free, so the mean chance over the verdicts is the share that was rejected.

Axes: N verdicts or items, F features.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit

FOLDS = 5
"""Parts of the verdicts, each judged by a model of the others."""

Numbers = NDArray[np.float64]
Features = Float[Numbers, "N F"]
Rejected = Bool[NDArray[np.bool_], " N"]


@dataclass(frozen=True)
class RejectionModel:
    """How likely an item is rejected, by its features: each less its `centre`, over its `scale`, times its weight."""

    centre: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def chances(self, features_NF: Features) -> Float[Numbers, " N"]:
        """Give the chance of each item to be rejected, in [0, 1]: beyond 37 nats it rounds to 1."""
        standard_NF = (features_NF - np.array(self.centre)) / np.array(self.scale)
        chances_N: Numbers = expit(standard_NF @ np.array(self.weights) + self.intercept)
        return chances_N


def fit_rejections(features_NF: Features, rejected_N: Rejected) -> RejectionModel:
    """Give the most probable model of these verdicts; equal verdicts give an equal model.

        minimise sum_n log(1 + exp(-y_n (w x_n + b))) + |w|^2 / 2,    y_n = 1 where rejected, else -1

    A feature that is the same for all verdicts has weight 0.

    Source: Hastie et al. 2009, section 4.4, with a ridge.

    Raises:
        ValueError: verdicts of one kind only, or a feature that is not finite.
    """
    if not 0 < rejected_N.sum() < len(rejected_N):
        raise ValueError(f"{int(rejected_N.sum())} of {len(rejected_N)} rejected: needs verdicts of both kinds")
    if not np.isfinite(features_NF).all():
        raise ValueError(f"features of verdict {int(np.argwhere(~np.isfinite(features_NF))[0, 0])}: must be finite")
    centre, deviation = features_NF.mean(axis=0), features_NF.std(axis=0)
    scale = np.where(deviation > 0.0, deviation, 1.0)
    standard = np.column_stack([(features_NF - centre) / scale, np.ones(len(features_NF))])
    ridge = np.append(np.ones(features_NF.shape[1]), 0.0)

    def cost(values: Numbers) -> tuple[float, Numbers]:
        reach = standard @ values
        height = np.logaddexp(0.0, reach).sum() - reach[rejected_N].sum() + 0.5 * ridge @ values**2
        return float(height), standard.T @ (expit(reach) - rejected_N) + ridge * values

    def curvature(values: Numbers) -> Numbers:
        share = expit(standard @ values)
        bent: Numbers = standard.T @ (standard * (share * (1.0 - share))[:, None]) + np.diag(ridge)
        return bent

    start = np.zeros(standard.shape[1])
    found = minimize(cost, start, jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-9}).x
    centred, scaled, weights = (tuple(map(float, each)) for each in (centre, scale, found[:-1]))
    return RejectionModel(centred, scaled, weights, float(found[-1]))


def held_out_chances(
    features_NF: Features, rejected_N: Rejected, groups_N: Int[NDArray[np.integer], " N"]
) -> Float[Numbers, " N"]:
    """Give the chance of each verdict by a model that saw none of its group, in (0, 1).

    Groups are dealt whole into FOLDS parts, those with the most rejections first. Where the other parts hold verdicts
    of one kind only, the chance is their share (Laplace 1814: one more of each kind).
    """
    chances_N = np.zeros(len(rejected_N))
    folds_N = _dealt(rejected_N, groups_N)
    for fold in np.unique(folds_N):
        inside, others = folds_N == fold, folds_N != fold
        known = rejected_N[others]
        if 0 < known.sum() < known.size:
            chances_N[inside] = fit_rejections(features_NF[others], known).chances(features_NF[inside])
        else:
            chances_N[inside] = (known.sum() + 1.0) / (known.size + 2.0)
    return chances_N


def log_loss(chances_N: Float[Numbers, " N"], rejected_N: Rejected) -> float:
    """Give the mean surprise at verdicts by their chances, nats, at least 0; lower = better."""
    # A chance rounds to 1 beyond 37 nats: what happened all the same is a great surprise, and no infinite one.
    told = np.maximum(np.where(rejected_N, chances_N, 1.0 - chances_N), np.finfo(np.float64).tiny)
    return float(-np.log(told).mean())


def _dealt(rejected_N: Rejected, groups_N: Int[NDArray[np.integer], " N"]) -> Int[NDArray[np.int64], " N"]:
    groups, group_of_N = np.unique(groups_N, return_inverse=True)
    rejections = np.bincount(group_of_N, weights=rejected_N, minlength=groups.size)
    place = np.empty(groups.size, np.int64)
    place[np.lexsort((groups, -rejections))] = np.arange(groups.size)
    folds_N: NDArray[np.int64] = place[group_of_N] % FOLDS
    return folds_N
