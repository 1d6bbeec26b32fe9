"""A whole scene: draw the roads, cast the traffic, let it play, and keep it if the expert drove without failure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.generator.casting import Still, ego_of, parked_of, vehicles_of
from sim.generator.checks import faults
from sim.generator.curves import Float64s
from sim.generator.footways import Walk, walks_of
from sim.generator.hard import Happening, Trouble, goes_straight, trouble_for
from sim.generator.junctions import crossing_lights, crossing_stops, roundabout, t_lights, t_stops
from sim.generator.movers import Movers, together
from sim.generator.network import Network
from sim.generator.paths import conflicts_of, paths_of
from sim.generator.right_of_way import Rules
from sim.generator.roads import curved_road, merge, multi_lane
from sim.generator.signals import lights
from sim.generator.spec import HARD_KINDS, GeneratorSpec
from sim.generator.surface import map_of
from sim.generator.traffic import TICK_S, TICKS_PER_STEP, Motion, play
from sim.kinds import AgentKind, LightState
from sim.recording import Agents, Recording

STEP_S = TICK_S * TICKS_PER_STEP

_MAKERS: dict[str, Callable[..., Network]] = {
    "curved-road": curved_road,
    "multi-lane": multi_lane,
    "crossing-lights": crossing_lights,
    "crossing-stops": crossing_stops,
    "t-lights": t_lights,
    "t-stops": t_stops,
    "merge": merge,
    "roundabout": roundabout,
}
_HARD_BRAKING_MPS2 = -1.2


class NoScene(RuntimeError):
    """No drawing of a scene came out well; names the scene and the last fault."""


@dataclass(frozen=True)
class Drawn:
    """A scene and what was thrown away before it."""

    recording: Recording
    faults: tuple[tuple[str, ...], ...]
    """Of each drawing that was thrown away, what the expert or others did wrong."""
    missed: int
    """Drawings in which the hard situation did not come about."""


def scenes(seed: int, count: int, *, spec: GeneratorSpec | None = None) -> Iterator[Recording]:
    """Give the scenes 0 .. count - 1 of a seed, one after the other. Scene k is the same for every count."""
    for number in range(count):
        yield scene(seed, number, spec=spec)


def scene(seed: int, number: int, *, spec: GeneratorSpec | None = None) -> Recording:
    """One scene; the same seed, number and spec give the same bytes.

    Raises:
        NoScene: no drawing came out well within `spec.most_redraws`.
    """
    return drawn_scene(seed, number, spec=spec or GeneratorSpec()).recording


def drawn_scene(seed: int, number: int, *, spec: GeneratorSpec) -> Drawn:
    """Like `scene`, and tell how many drawings were thrown away, and why."""
    kind, tag = _subject(np.random.default_rng((seed, number)), spec)
    thrown: list[tuple[str, ...]] = []
    missed = 0
    for redraw in range(spec.most_redraws + 1):
        generator = np.random.default_rng((seed, number, redraw))
        recording, came = _draw(generator, kind, tag, spec=spec, name=f"generated/{seed}/{number}")
        wrong = faults(recording)
        if came and not wrong:
            return Drawn(recording, tuple(thrown), missed)
        missed += not came
        if wrong:
            thrown.append(tuple(wrong))
    raise NoScene(f"scene {number} of seed {seed} ({kind}, {tag}): {spec.most_redraws + 1} drawings failed: {thrown}")


def _subject(generator: np.random.Generator, spec: GeneratorSpec) -> tuple[str, str | None]:
    """Draw the kind of road and, for a share of scenes, the hard situation."""
    if spec.tags and generator.random() < spec.hard_share:
        tag = str(generator.choice(spec.tags))
        return str(generator.choice(HARD_KINDS[tag])), tag
    return str(generator.choice(spec.kinds)), None


def _draw(
    generator: np.random.Generator, kind: str, tag: str | None, *, spec: GeneratorSpec, name: str
) -> tuple[Recording, bool]:
    """One drawing, and whether the hard situation came about."""
    network = _MAKERS[kind](generator, tag=tag)
    ways = paths_of(network, [])
    ego = ego_of(generator, network, ways, choices=_ways_for(tag, network))
    trouble = trouble_for(tag, generator, network, ego=ego, paths=ways) if tag else Trouble()
    walks = [trouble.walk] * (trouble.walk is not None) + _walks(generator, network, tag, spec)
    paths = paths_of(network, [walk.line for walk in walks if walk])
    taken = together([ego, *trouble.rows])
    others = vehicles_of(
        generator, network, paths, count=int(generator.integers(spec.vehicles[0], spec.vehicles[1] + 1)),
        taken=taken, closed=trouble.closed,
    )  # fmt: skip
    still = _stacked(trouble.still, parked_of(generator, network, paths, ego=ego, keep=trouble.keep))
    movers = together([taken, *others, *(walk.row for walk in walks if walk)])
    vehicles = len(taken) + len(others)
    movers.path[vehicles:] = len(network.ways) + np.arange(len(walks))
    ticks = (spec.steps - 1) * TICKS_PER_STEP + 1
    states = lights(generator, groups=network.light_groups, ticks=ticks, tick_s=TICK_S)
    while tag == "red-light-runner" and not _green(states, network, int(ego.path[0])):
        states = lights(generator, groups=network.light_groups, ticks=ticks, tick_s=TICK_S)
    rules = Rules(network, paths, conflicts_of(network, paths), states)
    happening = _happening(tag, trouble, rules, movers, vehicles)
    motion = play(movers, rules, vehicles=vehicles, steps=spec.steps, event=happening)
    tags = (kind,) if tag is None else (kind, tag)
    recording = _recording(name, rules=rules, motion=motion, movers=movers, still=still, tags=tags)
    return recording, _came(happening, motion)


def _walks(generator: np.random.Generator, network: Network, tag: str | None, spec: GeneratorSpec) -> list[Walk]:
    """Nobody crosses where somebody will run a red light."""
    count = int(generator.integers(spec.walkers[0], spec.walkers[1] + 1))
    return walks_of(generator, network, count=count, cross=tag != "red-light-runner")


def _ways_for(tag: str | None, network: Network) -> tuple[int, ...]:
    """Ways on which the ego can get into the situation."""
    if tag == "red-light-runner":
        return tuple(way for way in network.ego_ways if goes_straight(network.ways[way]))
    return network.ego_ways


def _green(states: NDArray[np.int8], network: Network, way: int) -> bool:
    """Whether a way has green when the ego gets to the junction."""
    return bool((states[20:85, network.ways[way].light] == LightState.GO).all())


def _happening(tag: str | None, trouble: Trouble, rules: Rules, movers: Movers, vehicles: int) -> Happening | None:
    if tag is None:
        return None
    meets = rules.conflicts.begin[movers.path[0], movers.path[1]] if tag == "red-light-runner" else np.inf
    return Happening(tag, trouble, ego_conflict=float(meets), vehicles=vehicles)


def _came(happening: Happening | None, motion: Motion) -> bool:
    """Whether the ego had to brake for it."""
    if happening is None:
        return True
    if not np.isfinite(happening.began_s):
        return False
    row = int(happening.began_s / STEP_S)
    around = motion.acceleration[max(0, row - 60) : row + 40, 0]
    return bool(around.min() < _HARD_BRAKING_MPS2)


def _recording(
    name: str, *, rules: Rules, motion: Motion, movers: Movers, still: Still, tags: tuple[str, ...]
) -> Recording:
    network = rules.network
    keep = motion.valid.any(axis=0)
    steps, parked = len(motion.valid), len(still.pose)
    pose = np.concatenate([motion.pose[:, keep], np.broadcast_to(still.pose, (steps, parked, 3))], axis=1)
    speed = np.concatenate([motion.speed[:, keep], np.zeros((steps, parked))], axis=1)
    size = np.concatenate([np.stack([movers.length, movers.width, movers.height], axis=1)[keep], still.size])
    valid = np.concatenate([motion.valid[:, keep], np.ones((steps, parked), bool)], axis=1)
    height = np.broadcast_to(0.5 * size[:, 2], (steps, len(size)))
    agents = Agents(
        position=np.stack([pose[:, :, 0], pose[:, :, 1], height], axis=2).transpose(1, 0, 2).copy(),
        heading=pose[:, :, 2].T.copy(),
        velocity=_velocity(pose, speed).transpose(1, 0, 2).copy(),
        size=size,
        kind=np.concatenate([movers.kind[keep], np.full(parked, AgentKind.VEHICLE)]).astype(np.int8),
        valid=valid.T.copy(),
        ids=tuple(str(row) for row in range(len(size))),
    )
    states = rules.states[::TICKS_PER_STEP]
    route = network.ways[int(movers.path[0])].lane_ids
    return Recording(name, STEP_S, agents, 0, map_of(network, states), route=route, tags=tags)


def _velocity(pose: Float64s, speed: Float64s) -> Float64s:
    """[T, A, 2] along the heading; what stands has none."""
    return np.stack([speed * np.cos(pose[:, :, 2]), speed * np.sin(pose[:, :, 2])], axis=2)


def _stacked(first: Still, second: Still) -> Still:
    return Still(np.concatenate([first.pose, second.pose]), np.concatenate([first.size, second.size]))
