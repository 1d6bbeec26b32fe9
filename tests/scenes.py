"""Generated scenes and an untrained policy: all that a round of scenarios needs, in seconds."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import jax

from al_platform.catalog.policies import add_policy
from al_platform.catalog.scenarios import add_sources
from al_platform.domain.policies import CloningRecipe, PolicySpec, PolicyVersion
from al_platform.domain.scenarios import ScenarioReference, ScenarioSource
from al_platform.platform.home import Platform, open_platform
from al_platform.platform.scenarios import generate_scenarios
from al_platform.policies.curve import Curve, write_curve
from al_platform.policies.stored import Drivers, fresh_parameters, write_drivers
from sim.actions import ActionSpec
from sim.networks import NetworkSpec
from sim.observation.record import ObservationSpec
from sim.scenario import Sizes
from tests.fleet import settings_of

SIZES = Sizes(agents=64, steps=31, route_points=256, lanes=4, stops=4, roads=256, tiles=24, grid=20, listed=16)
SCENES, MEMBERS = 12, 3
NETWORK = NetworkSpec(width=16, heads=2, latents=1, agent_layers=0, latent_layers=1, head_blocks=1)
ACTIONS = ActionSpec(accelerations=7, steering_rates=5)
SEES = ObservationSpec(agents=4, roads=8)
POLICY = "pol_untrained"
NOW = "2026-11-21 09:00:00"


def untrained(members: int = MEMBERS, *, seed: int = 0) -> Drivers:
    """Drivers that know nothing, each in its own way."""
    keys = jax.random.split(jax.random.key(seed), members)
    return Drivers(NETWORK, fresh_parameters(NETWORK, keys, actions=ACTIONS, observation=SEES), ACTIONS, SEES)


def keep_drivers(platform: Platform, drivers: Drivers, policy_id: str = POLICY) -> str:
    """Enter drivers as a policy."""
    spec = PolicySpec(members=drivers.members, agents=SEES.agents, roads=SEES.roads, cloning=CloningRecipe())
    curve = write_curve(platform.blobs, Curve())
    policy = PolicyVersion(policy_id, spec, "", None, 0, write_drivers(platform.blobs, drivers), curve)
    with platform.catalog.transaction() as tx:
        add_policy(tx, policy, now=NOW)
    return policy_id


def enter_references(platform: Platform, scenario_ids: Sequence[str], *, hard: Sequence[str] = ()) -> None:
    """Enter scenarios of four sessions, lanes/0 to lanes/3, without anything in the store."""
    known = [
        ScenarioReference(
            scenario_id, "lanes", f"lanes/{number % 4}", str(number), "", "src", 60, 8, 8, 0, 0, 0, 0, 100.0, 90.0,
            "", number, tags=("hard",) if scenario_id in hard else (),
        )
        for number, scenario_id in enumerate(scenario_ids)
    ]  # fmt: skip
    with platform.catalog.transaction() as tx:
        add_sources(tx, [ScenarioSource("src", "lanes", "", tuple(scenario_ids))], known)


@contextmanager
def home_with_scenes(home: Path, *, scenes: int = SCENES) -> Iterator[Platform]:
    """An open home with generated scenes and the untrained policy."""
    with open_platform(settings_of(home)) as platform:
        generate_scenarios(platform, scenes, seed=0, sizes=SIZES)
        keep_drivers(platform, untrained())
        yield platform
