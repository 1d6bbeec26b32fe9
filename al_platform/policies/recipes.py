"""What the specification of a policy means to the simulator."""

from dataclasses import asdict

import jax
from jaxtyping import PRNGKeyArray

from al_platform.domain.policies import CloningRecipe, PolicySpec, PracticeRecipe
from al_platform.errors import InvalidInput
from al_platform.policies.stored import Drivers, fresh_parameters
from sim.learning.cloning import CloneSpec
from sim.learning.improving import ImproveSpec
from sim.learning.losses import CloningSpec, ImprovementSpec
from sim.learning.state import OptimiserSpec
from sim.networks import NETWORKS, NetworkSpec, Parameters
from sim.observation.record import ObservationSpec
from sim.rewards import DoneSpec, RewardSpec
from sim.rolling import RolloutSpec

_WARM_UP = 100


def network_of(spec: PolicySpec) -> NetworkSpec:
    """Give the network of a policy.

    Raises: InvalidInput for a name that no size has.
    """
    if spec.network not in NETWORKS:
        raise InvalidInput(f"network {spec.network!r}: must be one of {', '.join(NETWORKS)}")
    return NETWORKS[spec.network]


def training_drive(spec: PolicySpec) -> RolloutSpec:
    """Give how a policy drives while it learns: a failure ends a drive."""
    return RolloutSpec(
        observation=ObservationSpec(agents=spec.agents, roads=spec.roads, points=spec.route_points),
        reactive=spec.reactive,
        reward=RewardSpec(**asdict(spec.rewards)),
        done=DoneSpec(),
    )


def fresh_of(spec: PolicySpec, key: PRNGKeyArray) -> Parameters:
    """Give the weights [M, ...] that the drivers of a policy without a parent begin with."""
    drive, keys = training_drive(spec), jax.random.split(key, spec.members)
    return fresh_parameters(network_of(spec), keys, actions=drive.actions, observation=drive.observation)


def drivers_of(spec: PolicySpec, parameters: Parameters) -> Drivers:
    """Give weights [M, ...] as the drivers of a policy."""
    drive = training_drive(spec)
    return Drivers(network_of(spec), parameters, drive.actions, drive.observation)


def clone_spec(recipe: CloningRecipe) -> CloneSpec:
    """Give a recipe as the simulator's learner takes it."""
    return CloneSpec(
        loss=CloningSpec(value=recipe.value, smoothing_bins=recipe.smoothing_bins, clip_surprise=recipe.clip_surprise),
        optimiser=OptimiserSpec(recipe.learning_rate, warm_up=_WARM_UP, decay_over=recipe.updates),
        batch=recipe.batch_steps,
        discount=recipe.discount,
        gusts=recipe.gusts,
    )


def improve_spec(recipe: PracticeRecipe) -> ImproveSpec:
    """Give a recipe as the simulator's learner takes it."""
    updates_each = recipe.passes * recipe.parts
    updates = recipe.iterations * updates_each
    return ImproveSpec(
        loss=ImprovementSpec(
            clip=recipe.clip,
            value=recipe.value,
            entropy=recipe.entropy,
            cloned=recipe.cloned,
            value_first=recipe.value_first,
        ),
        optimiser=OptimiserSpec(
            recipe.learning_rate, warm_up=_WARM_UP, decay_over=updates, average_over=recipe.averaged * updates_each
        ),
        scenes=recipe.scenes,
        sequence=recipe.sequence,
        discount=recipe.discount,
        trace=recipe.trace,
        passes=recipe.passes,
        parts=recipe.parts,
        kept_advantages=recipe.kept_advantages,
    )
