"""Eight plain scenes and a small network for the tests of learning."""

from dataclasses import replace
from functools import cache

import jax
import numpy as np

from sim.learning.state import Learner, OptimiserSpec, begin
from sim.networks import NetworkSpec, Parameters, init
from sim.observation.observe import observe
from sim.observation.record import ObservationSpec
from sim.preparing import prepare
from sim.rolling import RolloutSpec
from sim.scenario.record import Scenario, Sizes
from sim.stepping import reset
from tests.sim.recordings import two_lane_road

SIZES = Sizes(agents=8, steps=60, route_points=256, tiles=16, roads=128, listed=32)
DRIVE = RolloutSpec(observation=ObservationSpec(agents=8, roads=16))
COUNTS = DRIVE.actions.counts
NETWORK = NetworkSpec(width=32, heads=2, latents=2, agent_layers=0, latent_layers=1, head_blocks=1)


@cache
def store() -> Scenario:
    """Eight egos on a road of two lanes, from 6 to 13 m/s."""
    scenes = [prepare(replace(two_lane_road(speed=6.0 + number)), SIZES).scenario for number in range(8)]
    stacked: Scenario = jax.tree.map(lambda *leaves: np.stack(leaves), *scenes)
    return stacked


def parameters(seed: int = 1) -> Parameters:
    """Fresh parameters of the small network."""
    scene = jax.tree.map(lambda leaf: np.asarray(leaf[0]), store())
    example = jax.jit(lambda one: observe(one, reset(one), spec=DRIVE.observation))(scene)
    return jax.jit(lambda key: init(NETWORK, key, example, actions=COUNTS))(jax.random.key(seed))


def learner(optimiser: OptimiserSpec, seed: int = 1) -> Learner:
    """A learner that knows nothing."""
    return begin(parameters(seed), optimiser)
