"""What the threads do until the exchange is closed: act, and judge.

Axes: N scenes of the store.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count

import jax
import numpy as np
from jaxtyping import Array, Float, Int32, PRNGKeyArray

from sim.learning.apart.exchange import Exchange, Over
from sim.learning.apart.records import Course, Judgement, Places, Run
from sim.learning.driving import greedy
from sim.learning.improving import Actors, ImproveSpec, Sequences, act, lived_through
from sim.learning.state import Terms
from sim.networks import NetworkSpec, Parameters
from sim.rolling import RolloutSpec, rollout
from sim.scenario.record import Leaf, Scenario


@dataclass(frozen=True)
class Program:
    """What all devices compile."""

    network: NetworkSpec
    spec: ImproveSpec
    drive: RolloutSpec


@dataclass(frozen=True)
class Batch:
    """Sequences of one actor, on the device that is to learn from them."""

    actor: int
    number: int
    """Among the batches of all actors: its keys are made of it."""
    version: int
    """Of the parameters that drove it."""
    lived: Sequences
    after: Actors
    terms: Terms


def actors_of(
    run: Run, course: Course, key: PRNGKeyArray, meeting: Exchange[Batch], *, places: Places, program: Program
) -> list[Callable[[], None]]:
    """The work of each actor. Those on one device share its copy of the store."""
    stores = {device: jax.device_put((course.store, course.chance, key), device) for device in set(places.acting)}
    return [
        partial(
            _act,
            actor,
            jax.device_put(run.actors[actor], device),
            stores[device],
            meeting,
            first=int(run.driven[actor]),
            places=places,
            program=program,
        )
        for actor, device in enumerate(places.acting)
    ]


def _act(
    actor: int,
    actors: Actors,
    given: tuple[Scenario, Float[Array, "N"], PRNGKeyArray],
    meeting: Exchange[Batch],
    *,
    first: int,
    places: Places,
    program: Program,
) -> None:
    """Drive sequence after sequence, each with the parameters that are its turn."""
    device, learner = places.acting[actor], actor % len(places.learning)
    with suppress(Over):
        for turn in count(first):
            if places.behind is None:
                version, parameters = meeting.newest()
            else:
                version = max(turn - places.behind, 0)
                parameters = meeting.parameters_of(version)
            number = turn * len(places.acting) + actor
            actors, lived, terms = _sequence(
                given, actors, jax.device_put(parameters, device), np.asarray(number, np.int32), program=program
            )
            lived = jax.device_put(lived, places.learning[learner])
            # The next sequence is to begin with what is newest then, not with what is newest now.
            jax.block_until_ready((actors, lived))
            meeting.deliver(learner, Batch(actor, number, version, lived, actors, terms))


@partial(jax.jit, static_argnames=("program",))
def _sequence(
    given: tuple[Scenario, Float[Array, "N"], PRNGKeyArray],
    actors: Actors,
    parameters: Parameters,
    number: Int32[Leaf, ""],
    *,
    program: Program,
) -> tuple[Actors, Sequences, Terms]:
    """The acting half of `iterate`."""
    store, chance, key = given
    acting, _ = jax.random.split(jax.random.fold_in(key, number))
    actors, lived, episodes = act(
        store, chance, actors, parameters, acting, network=program.network, spec=program.spec, drive=program.drive
    )
    return actors, lived, lived_through(lived, episodes)


def judge(
    held_out: Scenario,
    meeting: Exchange[Batch],
    found: Callable[[Judgement], None],
    *,
    places: Places,
    program: Program,
) -> None:
    """Judge the newest version, and again whenever there is one that is new enough."""
    with suppress(Over):
        version, parameters = meeting.newest_learned()
        while True:
            found(judgement(held_out, parameters, version, places=places, program=program))
            version, parameters = meeting.newest_learned(at_least=version + places.judge_every)


def judgement(
    held_out: Scenario, parameters: Parameters, version: int, *, places: Places, program: Program
) -> Judgement:
    """Drive the held-out scenes greedily, from where their recordings begin."""
    device = places.judging or places.acting[0]
    policy = greedy(program.network, jax.device_put(parameters, device), actions=program.drive.actions)
    # What is greedy draws nothing: any key will do.
    key = jax.device_put(jax.random.key(0), device)
    episodes = rollout(jax.device_put(held_out, device), policy, key, spec=program.drive).episodes
    failure, valid, progress = jax.device_get((episodes.failure, episodes.valid, episodes.progress_ratio))
    known = progress[valid & np.isfinite(progress)]
    return Judgement(
        version=version,
        failure=float((failure & valid).sum() / max(valid.sum(), 1)),
        progress=float(known.mean()) if known.size else float("nan"),
    )
