"""Metrics of a drive: pure functions of a scenario and its states."""

from sim.measures.episode import episode_metrics
from sim.measures.record import EpisodeMetrics, MetricSpec, StepMetrics
from sim.measures.step import metrics

__all__ = ["EpisodeMetrics", "MetricSpec", "StepMetrics", "episode_metrics", "metrics"]
