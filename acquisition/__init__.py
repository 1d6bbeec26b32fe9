"""Acquisition: arrays in, arrays out. Which frames of a pool are worth a label.

Selection is numpy and imported with the package; whatever computes on logits needs jax, which is imported
when one of its names is first used.
"""

import importlib
from typing import TYPE_CHECKING

from acquisition.baselines import contiguous_clips, stratified_random, uniform_random
from acquisition.diversity import distance_weighted
from acquisition.limits import NO_GROUP, Limits
from acquisition.round_robin import round_robin
from acquisition.scores import SCORES, relative_scores
from acquisition.similarity import most_similar
from acquisition.turns import CONTROL
from acquisition.whitening import Whitening, fit_whitening

if TYPE_CHECKING:
    from acquisition.information import (
        aleatoric_share,
        expected_entropy,
        mean_probability,
        mutual_information,
        predictive_entropy,
        probability_variance,
        ranking_mutual_information,
        variance_bound,
    )
    from acquisition.measures import FrameMeasures, frame_measures, frame_scores
    from acquisition.pruning import TopFrames, frame_bounds, top_frames
    from acquisition.reductions import REDUCTIONS

__all__ = [
    "CONTROL",
    "NO_GROUP",
    "REDUCTIONS",
    "SCORES",
    "FrameMeasures",
    "Limits",
    "TopFrames",
    "Whitening",
    "aleatoric_share",
    "contiguous_clips",
    "distance_weighted",
    "expected_entropy",
    "fit_whitening",
    "frame_bounds",
    "frame_measures",
    "frame_scores",
    "mean_probability",
    "most_similar",
    "mutual_information",
    "predictive_entropy",
    "probability_variance",
    "ranking_mutual_information",
    "relative_scores",
    "round_robin",
    "stratified_random",
    "top_frames",
    "uniform_random",
    "variance_bound",
]

_IN_JAX = {
    "REDUCTIONS": "acquisition.reductions",
    "FrameMeasures": "acquisition.measures",
    "frame_measures": "acquisition.measures",
    "frame_scores": "acquisition.measures",
    "TopFrames": "acquisition.pruning",
    "frame_bounds": "acquisition.pruning",
    "top_frames": "acquisition.pruning",
    "aleatoric_share": "acquisition.information",
    "expected_entropy": "acquisition.information",
    "mean_probability": "acquisition.information",
    "mutual_information": "acquisition.information",
    "predictive_entropy": "acquisition.information",
    "probability_variance": "acquisition.information",
    "ranking_mutual_information": "acquisition.information",
    "variance_bound": "acquisition.information",
}


def __getattr__(name: str) -> object:
    """Import the jax part of the package when one of its names is asked for."""
    if name not in _IN_JAX:
        raise AttributeError(f"module 'acquisition' has no attribute {name!r}")
    return getattr(importlib.import_module(_IN_JAX[name]), name)
