"""Something to judge: a home with a few small generated scenes, and policies that drive in a simple way of their own.

Their networks are as small as they come, their weights fresh but for the last layer, which says what they always do.
"""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from al_platform.catalog.datasets import add_version
from al_platform.catalog.policies import add_policy
from al_platform.catalog.scenarios import scenarios_of_filter
from al_platform.domain.datasets import DatasetItem
from al_platform.domain.ids import make_id
from al_platform.domain.policies import CloningRecipe, PolicySpec, PolicyVersion
from al_platform.platform.home import Platform, open_platform
from al_platform.platform.scenarios import generate_scenarios
from al_platform.policies.stored import Drivers, fresh_parameters, write_drivers
from sim.actions import ActionSpec
from sim.networks import network_named
from sim.observation.record import ObservationSpec
from sim.scenario import Sizes
from tests.fleet import settings_of

SIZES = Sizes(agents=64, steps=31, route_points=256, lanes=4, stops=4, roads=256, tiles=24, grid=20, listed=16)
SCENES = 6
NOW = "2026-01-31 12:00:00.000000"
SPEC = PolicySpec("xs", agents=4, roads=4, cloning=CloningRecipe(updates=1))
_ACTIONS = ActionSpec(accelerations=15, steering_rates=3)
_SIGHT = ObservationSpec(agents=SPEC.agents, roads=SPEC.roads, points=16)

HALT, CRUISE, RACE = -4.0, 0.0, 3.0
"""m/s^2 that a driver always asks for; all of them keep the steering wheel still."""


def make_judged_home(home: Path) -> None:
    """Generate the scenes."""
    with open_platform(settings_of(home)) as platform:
        generate_scenarios(platform, SCENES, seed=3, sizes=SIZES)


def drivers_that(*accelerations: float) -> Drivers:
    """One driver for each of the accelerations, which it always asks for."""
    keys = jax.random.split(jax.random.key(0), len(accelerations))
    network = network_named(SPEC.network)
    fresh = fresh_parameters(network, keys, actions=_ACTIONS, observation=_SIGHT)
    weights: dict[str, Any] = jax.tree.map(np.array, fresh)
    values = _ACTIONS.acceleration_values()
    wanted = [int(np.abs(values - each).argmin()) for each in accelerations]
    for head, bins in (("acceleration", wanted), ("steering_rate", [1] * len(wanted))):
        last = max(weights["params"][head], key=lambda layer: (layer.startswith("Dense"), layer))
        weights["params"][head][last]["bias"][np.arange(len(bins)), bins] = 5.0
    return Drivers(network, weights, _ACTIONS, _SIGHT)


def add_policy_that(platform: Platform, *accelerations: float) -> str:
    """Enter such a policy as if it had been cloned from all scenes; gives its id."""
    weights_hash = write_drivers(platform.blobs, drivers_that(*accelerations))
    curve_hash = platform.blobs.put(b"[]").hash
    with platform.catalog.transaction() as tx:
        items = [DatasetItem(each.scenario_id, "") for each in scenarios_of_filter(tx, "")]
        version = add_version(
            tx, platform.blobs, parent_id=None, additions=items, purpose="start", round_id=None, now=NOW
        )
        policy_id = make_id("pol", SPEC, weights_hash)
        policy = PolicyVersion(policy_id, SPEC, version.version_id, None, 0, weights_hash, curve_hash)
        add_policy(tx, policy, now=NOW)
    return policy_id
