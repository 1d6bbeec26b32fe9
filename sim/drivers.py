"""Who drives: the interface of a policy, and the two experts that replay the recording."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
from jaxtyping import Array, Int32, PRNGKeyArray

from sim.actions import recorded_action
from sim.observation.record import Observation
from sim.scenario.record import Scenario
from sim.state import SimState


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class View:
    """What a policy is given for one scene. A policy to be judged looks at the observation alone."""

    observation: Observation
    state: SimState
    scenario: Scenario
    guide: Any = field(default=None)
    """What `rollout` was given for this scene besides."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Decision:
    """What a policy does in one scene."""

    action: Int32[Array, "*b 2"] | None
    """Bins of acceleration and steering rate; None puts the ego where it was recorded."""
    outputs: Any = field(default=None)
    """Arrays to keep with the transition, e.g. the logits and the value."""


Policy = Callable[[View, PRNGKeyArray], Decision]
"""Decides for one scene; a batch is made by `vmap`. To be changed without compiling anew, a policy carries its
parameters as a pytree does: `jax.tree_util.Partial(function, parameters)`."""


def log_replay(view: View, key: PRNGKeyArray) -> Decision:
    """The recorded ego itself."""
    del view, key
    return Decision(action=None)


def replay_actions(view: View, key: PRNGKeyArray) -> Decision:
    """Actions decided beforehand: the guide is [T, 2] bins for each step, e.g. of `expert_actions`."""
    del key
    return Decision(action=recorded_action(view.guide, view.state.step))
