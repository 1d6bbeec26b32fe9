"""The accelerated driving simulator: arrays in, arrays out. No I/O; knows nothing of the platform.

Names are imported when they are first used, so that importing the package does not import jax. No module
bears the name of one of them: once imported, it would stand in its place.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.actions import ActionSpec, decode, expert_actions
    from sim.camera import CameraSpec, render_camera
    from sim.drivers import Decision, View, log_replay, replay_actions
    from sim.generator import GeneratorSpec, generate
    from sim.measures import EpisodeMetrics, MetricSpec, StepMetrics, episode_metrics, metrics
    from sim.observation import Observation, ObservationSpec, observe
    from sim.preparing import prepare
    from sim.recording import Recording
    from sim.rewards import DoneSpec, RewardSpec, done, reward
    from sim.rolling import Rollout, RolloutSpec, Transition, rollout, rollouts
    from sim.scenario import Scenario, Sizes
    from sim.state import SimState
    from sim.stepping import Command, follow_log, reset, step

_HOMES = {
    "sim.actions": ("ActionSpec", "decode", "expert_actions"),
    "sim.camera": ("CameraSpec", "render_camera"),
    "sim.drivers": ("Decision", "View", "log_replay", "replay_actions"),
    "sim.generator": ("GeneratorSpec", "generate"),
    "sim.measures": ("EpisodeMetrics", "MetricSpec", "StepMetrics", "episode_metrics", "metrics"),
    "sim.observation": ("Observation", "ObservationSpec", "observe"),
    "sim.rewards": ("DoneSpec", "RewardSpec", "done", "reward"),
    "sim.preparing": ("prepare",),
    "sim.recording": ("Recording",),
    "sim.rolling": ("Rollout", "RolloutSpec", "Transition", "rollout", "rollouts"),
    "sim.scenario": ("Scenario", "Sizes"),
    "sim.state": ("SimState",),
    "sim.stepping": ("Command", "follow_log", "reset", "step"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ActionSpec",
    "CameraSpec",
    "Command",
    "Decision",
    "DoneSpec",
    "EpisodeMetrics",
    "GeneratorSpec",
    "MetricSpec",
    "Observation",
    "ObservationSpec",
    "Recording",
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
    "generate",
    "log_replay",
    "metrics",
    "observe",
    "prepare",
    "render_camera",
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
