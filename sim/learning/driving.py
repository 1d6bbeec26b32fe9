"""Networks at the wheel: policies for rollouts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import jax
from jax.tree_util import Partial
from jaxtyping import Array, Float, PRNGKeyArray

from sim.actions import ActionSpec
from sim.drivers import Decision, View
from sim.learning.choices import expected, log_probability, sample
from sim.networks import NetworkSpec, Outputs, Parameters, apply


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Thought:
    """What a network gave besides the action."""

    log_probability: Float[Array, "*b"]
    """Of the action taken."""
    value: Float[Array, "*b"]


def exploring(network: NetworkSpec, parameters: Parameters, *, actions: ActionSpec) -> Partial:
    """A policy that draws its actions; it keeps their log-probability and the value."""
    return Partial(_bound(_explore, network, actions), parameters)


def greedy(network: NetworkSpec, parameters: Parameters, *, actions: ActionSpec) -> Partial:
    """A policy that takes the expected action, nothing by chance: for evaluation and for the road."""
    return Partial(_bound(_exploit, network, actions), parameters)


@cache
def _bound(drive: Callable[..., Decision], network: NetworkSpec, actions: ActionSpec) -> Callable[..., Decision]:
    """The same object for the same network, so that rollouts of other parameters need no compilation."""
    return partial(drive, network, actions)


def _explore(
    network: NetworkSpec, actions: ActionSpec, parameters: Parameters, view: View, key: PRNGKeyArray
) -> Decision:
    outputs = apply(network, parameters, view.observation, actions=actions.counts)
    return _decision(outputs, sample(outputs, key))


def _exploit(
    network: NetworkSpec, actions: ActionSpec, parameters: Parameters, view: View, key: PRNGKeyArray
) -> Decision:
    del key
    outputs = apply(network, parameters, view.observation, actions=actions.counts)
    return _decision(outputs, expected(outputs, actions))


def _decision(outputs: Outputs, action: Array) -> Decision:
    return Decision(action, Thought(log_probability(outputs, action), outputs.value))
