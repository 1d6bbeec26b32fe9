"""What a camera on the ego sees, and exactly what is in the picture. Write for one scene, vmap outside.

Axes: V rows, U columns, K agents, S traffic lights, N = K + S bodies, C classes.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Float32, Int, Int32, Key, UInt8

from sim.camera.bodies import SIGNAL, Bodies, Met, first_met
from sim.camera.ground import Rectangles, covered, crosswalks_near, lines_near, on_road
from sim.camera.labels import boxes_of, cells_of, hidden
from sim.camera.lens import Lens, foot_of, lens_of, seen_from
from sim.camera.light import colour, developed, lit, shadow, sky
from sim.camera.signals import SIZE_M, shown_at, signals_of
from sim.camera.spec import CameraSpec
from sim.camera.surfaces import Looks, halos, lamps_of, surfaces
from sim.scenario.record import NOWHERE, Scenario, directions, places

CLASSES = ("other", "vehicle", "pedestrian", "cyclist", "traffic-light")
_GRASS, _ROAD, _PAINT = (0.13, 0.20, 0.07), (0.16, 0.16, 0.17), (0.72, 0.72, 0.68)
_UNDER_M = 0.15


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Frame:
    """One picture with its truth. Of traffic lights the lamps count and the pole does not."""

    image: UInt8[Array, "*b V U 3"]
    classes: Int32[Array, "*b V U"]
    """Class of what each pixel shows, a place in CLASSES; -1 where nothing of them is."""
    cells: Float32[Array, "*b rows columns C"]
    """Share of each cell's pixels that show a class, in [0, 1]."""
    boxes: Int32[Array, "*b K 4"]
    """First column and row, last column and row of what is seen of an agent; -1 where nothing is."""
    agents: Int32[Array, "*b K"]
    """Rows of the agents in the log, nearest first; -1 for none."""
    occluded: Float32[Array, "*b K"]
    """Share of an agent's pixels that something nearer hides, in [0, 1]; 1 where no pixel is its own."""
    light_boxes: Int32[Array, "*b S 4"]
    """As `boxes`, of traffic lights."""
    lights: Int32[Array, "*b S"]
    """Stop lines that the traffic lights belong to, nearest first; -1 for none."""
    light_states: Int32[Array, "*b S"]
    """Values of LightState."""


def render_camera(
    scenario: Scenario, pose: Float[Array, "3"], step: Int[Array, ""] | int, key: Key[Array, ""], *, spec: CameraSpec
) -> Frame:
    """Render from the ego's pose (x, y, heading in the scenario's frame) with everybody else as logged at a step."""
    lens, foot = lens_of(spec), foot_of(pose, spec)
    agents, rows, drives = _agents(scenario, foot, step, lens, spec)
    signals, lines = _signals(scenario, foot, lens, spec)
    states, burning = (values[jnp.maximum(lines, 0)] for values in shown_at(scenario.route, step))
    bodies: Bodies = jax.tree.map(lambda *parts: jnp.concatenate(parts), agents, signals)
    looks = Looks(
        tints=jnp.concatenate([_tints(rows), jnp.ones((spec.signals, 3))]),
        drives=jnp.concatenate([drives, jnp.zeros(spec.signals, bool)]),
        lamps=jnp.concatenate([jnp.full(spec.agents, -1), lamps_of(states, burning)]),
    )
    met = first_met(bodies, lens, spec.range_m)
    linear = _coloured(scenario, bodies, looks, met, foot=foot, lens=lens, spec=spec)
    return _labelled(developed(linear, key, spec), bodies, met, seen=(rows, lines, states), spec=spec)


def _labelled(
    image: UInt8[Array, "V U 3"],
    bodies: Bodies,
    met: Met,
    *,
    seen: tuple[Int[Array, "K"], Int[Array, "S"], Int[Array, "S"]],
    spec: CameraSpec,
) -> Frame:
    kinds = bodies.kinds[jnp.maximum(met.body, 0)]
    named = (met.body >= 0) & ((kinds != SIGNAL) | (met.part == 1))
    classes = jnp.where(named, kinds, -1).astype(jnp.int32)
    boxes, pixels = boxes_of(jnp.where(named, met.body, -1), len(bodies.kinds))
    rows, lines, states = seen
    return Frame(
        image=image,
        classes=classes,
        cells=cells_of(classes, spec.cell, len(CLASSES)),
        boxes=boxes[: spec.agents],
        agents=rows.astype(jnp.int32),
        occluded=hidden(met.whole[: spec.agents, 0], pixels[: spec.agents]),
        light_boxes=boxes[spec.agents :],
        lights=lines.astype(jnp.int32),
        light_states=jnp.where(lines >= 0, states, -1).astype(jnp.int32),
    )


def _agents(
    scenario: Scenario, foot: Float[Array, "4"], step: Int[Array, ""] | int, lens: Lens, spec: CameraSpec
) -> tuple[Bodies, Int[Array, "K"], Bool[Array, "K"]]:
    """The nearest agents in view without the ego, their rows (-1 for none), and whether they ever drive."""
    log = scenario.log
    now = jnp.asarray(log.states)[step]
    poses = seen_from(foot, jnp.concatenate([places(now[:2]), directions(now[2:4])]).T)
    radius = 0.6 * jnp.hypot(*jnp.asarray(log.sizes).T)
    exists = (now[0] != NOWHERE) & (jnp.arange(now.shape[1]) > 0)
    rows = _nearest_in_view(poses, radius, exists, lens, spec, count=spec.agents)
    chosen = jnp.maximum(rows, 0)
    sizes = jnp.concatenate([jnp.asarray(log.sizes)[chosen], jnp.asarray(log.heights)[chosen, None]], axis=1)
    drives = (jnp.abs(jnp.asarray(log.states)[:, 4:, chosen]) > 50).any(axis=(0, 1))
    kinds = jnp.asarray(log.kinds)[chosen].astype(jnp.int32)
    return Bodies(poses[chosen], sizes, kinds, rows >= 0), rows, drives


def _signals(
    scenario: Scenario, foot: Float[Array, "4"], lens: Lens, spec: CameraSpec
) -> tuple[Bodies, Int[Array, "S"]]:
    """The nearest traffic lights in view, and the stop lines that they belong to (-1 for none)."""
    stands, there = signals_of(scenario.route, scenario.ground)
    poses = seen_from(foot, stands)
    rows = _nearest_in_view(poses, jnp.ones(len(poses)), there, lens, spec, count=spec.signals)
    sizes = jnp.tile(jnp.array(SIZE_M, jnp.float32), (spec.signals, 1))
    return Bodies(poses[jnp.maximum(rows, 0)], sizes, jnp.full(spec.signals, SIGNAL), rows >= 0), rows


def _nearest_in_view(
    poses: Float[Array, "all 4"],
    radius: Float[Array, "all"],
    exists: Bool[Array, "all"],
    lens: Lens,
    spec: CameraSpec,
    *,
    count: int,
) -> Int[Array, "count"]:
    """Rows of what stands nearest among all that reaches into the wedge before the camera; -1 for none."""
    x, y = poses[:, 0], poses[:, 1]
    edge = 0.5 * spec.width / lens.focal / float(lens.ahead.min())
    outside = (jnp.abs(y) - edge * x) / (1.0 + edge**2) ** 0.5
    seen = exists & (outside < radius) & (x > -radius)
    away = jnp.where(seen, x**2 + y**2, jnp.inf)
    room = min(count, len(away))
    smallest, rows = jax.lax.top_k(-away, room)
    return jnp.pad(jnp.where(jnp.isfinite(smallest), rows, -1), (0, count - room), constant_values=-1)


def _tints(rows: Int[Array, "K"]) -> Float[Array, "K 3"]:
    """A little different for each agent, from 0.55 to 1.45."""
    return 0.55 + 0.9 * jnp.mod(rows[:, None].astype(jnp.float32) * jnp.array([0.37, 0.61, 0.83]), 1.0)


def _coloured(
    scenario: Scenario,
    bodies: Bodies,
    looks: Looks,
    met: Met,
    *,
    foot: Float[Array, "4"],
    lens: Lens,
    spec: CameraSpec,
) -> Float[Array, "3 V U"]:
    """Ground, sky and bodies in their light."""
    above = lens.above
    there = met.body >= 0
    to_ground = jnp.concatenate([jnp.ones(above), jnp.asarray(lens.reach)])[:, None]
    reach = jnp.where(there, met.distance, to_ground)
    body, shining = surfaces(bodies, looks, met, lens, spec)
    ground = jnp.pad(_ground_colours(scenario, bodies, foot, lens, spec), ((0, 0), (above, 0), (0, 0)))
    surface = jnp.where(there, body, ground)
    ahead, aside = jnp.asarray(lens.ahead)[:, None] * reach, jnp.asarray(lens.left) * reach
    seen = lit(surface, ahead=ahead, aside=aside, spec=spec)
    far = (jnp.arange(spec.height) < above)[:, None] | (to_ground > 4.0 * spec.range_m)
    scene = jnp.where(there, seen + shining, jnp.where(far, sky(lens, spec), seen))
    return scene + halos(bodies, looks, met, lens, spec)


def _ground_colours(
    scenario: Scenario, bodies: Bodies, foot: Float[Array, "4"], lens: Lens, spec: CameraSpec
) -> Float[Array, "3 G U"]:
    """Road with its markings, grass, and the shadows of bodies on them."""
    road = on_road(scenario.ground, lens, foot)
    painted = jax.tree.map(
        lambda *shapes: jnp.concatenate(shapes),
        lines_near(scenario.roads, foot, spec),
        crosswalks_near(scenario.roads, foot, spec),
    )
    paint = jnp.where(road, covered(painted, lens), 0.0)
    ground = jnp.where(road, colour(_ROAD), colour(_GRASS)) * (1.0 - paint) + colour(_PAINT) * paint
    if shadow(spec) == 0.0:
        return ground
    return ground * (1.0 - shadow(spec) * covered(_footprints(bodies, spec), lens))


def _footprints(bodies: Bodies, spec: CameraSpec) -> Rectangles:
    count = spec.agents
    halves = jnp.where(bodies.valid[:count, None], 0.5 * bodies.sizes[:count, :2] + _UNDER_M, -1.0)
    return Rectangles(bodies.poses[:count], halves, jnp.full(count, 1e6), -1.0 - halves[:, 0])


render_many = jax.jit(
    lambda scenarios, poses, steps, keys, spec: jax.vmap(partial(render_camera, spec=spec))(
        scenarios, poses, steps, keys
    ),
    static_argnums=4,
)
"""`render_camera` for a batch of scenes, compiled once per spec."""
