"""Bad recordings: generated scenes whose tracks jump, whose ego stands still, whose kinds are swapped.

What comes out is still a recording that can be prepared and driven in: such are those that people see in triage.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from al_platform.catalog.scenarios import add_sources
from al_platform.datasets.scenarios.base import SourceScene
from al_platform.datasets.scenarios.prepared import prepared_scene
from al_platform.datasets.scenarios.store import layout_of
from al_platform.domain.scenarios import ScenarioSource
from al_platform.domain.triage import Triage, Verdict
from al_platform.platform.home import Platform
from al_platform.storage.arrays import write_shard
from sim.generator import scene
from sim.kinds import AgentKind
from sim.recording import Recording
from sim.scenario import Sizes

SOURCE = "damaged"
_EGO_STILL_STEPS = (5, 15)


def jumping(recording: Recording, rng: np.random.Generator) -> Recording:
    """One to six agents are suddenly 0.7 to 12 m away, in any direction, and stay so."""
    agents = recording.agents
    position = agents.position.copy()
    others = np.setdiff1d(np.arange(len(agents.ids)), recording.ego)
    for row in rng.choice(others, min(len(others), int(rng.integers(1, 7))), replace=False):
        step, way = int(rng.integers(2, 25)), rng.uniform(0, 2 * np.pi)
        position[row, step:, :2] += rng.uniform(0.7, 12.0) * np.array([np.cos(way), np.sin(way)])
    return replace(recording, agents=replace(agents, position=position))


def standing(recording: Recording, rng: np.random.Generator) -> Recording:
    """For one to three seconds the ego is where it was, then where it is: its recorder hung."""
    agents, ego = recording.agents, recording.ego
    position, velocity = agents.position.copy(), agents.velocity.copy()
    start = int(rng.integers(1, 10))
    end = start + int(rng.integers(*_EGO_STILL_STEPS))
    position[ego, start:end] = position[ego, start]
    velocity[ego, start:end] = 0.0
    return replace(recording, agents=replace(agents, position=position, velocity=velocity))


def swapped(recording: Recording, rng: np.random.Generator) -> Recording:
    """A fifth to a half of the agents are taken for another kind."""
    agents = recording.agents
    kinds = agents.kind.copy()
    wrong = rng.random(len(kinds)) < rng.uniform(0.2, 0.5)
    wrong[recording.ego] = False
    kinds[wrong] = np.where(kinds[wrong] == AgentKind.PEDESTRIAN, AgentKind.VEHICLE, AgentKind.PEDESTRIAN)
    return replace(recording, agents=replace(agents, kind=kinds))


DAMAGE: Mapping[str, Callable[[Recording, np.random.Generator], Recording]] = {
    "jumping": jumping,
    "standing": standing,
    "swapped": swapped,
}


def damaged(seed: int, number: int, kind: str) -> Recording:
    """Give a generated scene with this damage; equal arguments give equal bytes."""
    return DAMAGE[kind](scene(seed, number), np.random.default_rng([seed, number]))


def enter_damaged(platform: Platform, numbers: Sequence[int], *, seed: int, sizes: Sizes) -> list[str]:
    """Enter damaged scenes, the kinds in turn, with a sealed triage that rejects them; gives their ids by number."""
    kinds, made = list(DAMAGE), []
    for number in numbers:
        name = f"{seed}/{number}"
        recording = damaged(seed, number, kinds[number % len(kinds)])
        origin = f"{SOURCE}/{name}"
        source = SourceScene(recording=recording, name=name, dataset="generated", session=origin, origin=origin)
        made.append(prepared_scene(source, SOURCE, sizes))
    places = write_shard(platform.settings.scenarios_folder, [record for _, record in made], layout=layout_of(sizes))
    scenes = [
        replace(scene, shard=place.shard, shard_row=place.row) for (scene, _), place in zip(made, places, strict=True)
    ]
    ids = [scene.scenario_id for scene in scenes]
    with platform.catalog.transaction() as tx:
        add_sources(tx, [ScenarioSource(SOURCE, "generated", SOURCE, tuple(ids))], scenes)
    platform.sealed.seal([Triage(name, Verdict.REJECT, "offline:damaged") for name in ids])
    return ids
