"""The accelerated driving simulator: arrays in, arrays out. No I/O; knows nothing of the platform.

Names are imported when they are first used, so that importing the package does not import jax.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.actions import ActionSpec, decode, expert_actions
    from sim.drivers import Decision, View, log_replay, replay_actions
    from sim.measures import EpisodeMetrics, MetricSpec, StepMetrics, episode_metrics, metrics
    from sim.observation import Observation, ObservationSpec, observe
    from sim.rewards import DoneSpec, RewardSpec, done, reward
    from sim.rollouts import Rollout, RolloutSpec, Transition, rollout, rollouts
    from sim.scenario import Scenario, Sizes
    from sim.state import SimState
    from sim.stepping import Command, follow_log, reset, step

_HOMES = {
    "sim.actions": ("ActionSpec", "decode", "expert_actions"),
    "sim.drivers": ("Decision", "View", "log_replay", "replay_actions"),
    "sim.measures": ("EpisodeMetrics", "MetricSpec", "StepMetrics", "episode_metrics", "metrics"),
    "sim.observation": ("Observation", "ObservationSpec", "observe"),
    "sim.rewards": ("DoneSpec", "RewardSpec", "done", "reward"),
    "sim.rollouts": ("Rollout", "RolloutSpec", "Transition", "rollout", "rollouts"),
    "sim.scenario": ("Scenario", "Sizes"),
    "sim.state": ("SimState",),
    "sim.stepping": ("Command", "follow_log", "reset", "step"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ActionSpec",
    "Command",
    "Decision",
    "DoneSpec",
    "EpisodeMetrics",
    "MetricSpec",
    "Observation",
    "ObservationSpec",
    "RewardSpec",
    "Rollout",
    "RolloutSpec",
    "Scenario",
    "SimState",
    "Sizes",
    "StepMetrics",
    "Transition",
    "View",
    "decode",
    "done",
    "episode_metrics",
    "expert_actions",
    "follow_log",
    "log_replay",
    "metrics",
    "observe",
    "replay_actions",
    "reset",
    "reward",
    "rollout",
    "rollouts",
    "step",
]


def __getattr__(name: str) -> object:
    """Import the module of a name when the name is asked for."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'sim' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)
