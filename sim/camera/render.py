"""What a camera on the ego sees, and exactly what is in the picture. Write for one scene, vmap outside.

Axes: P pixels row by row, K agents drawn, C classes (other, vehicle, pedestrian, cyclist).
"""

import math
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Float32, Int, Int32, Key, UInt8

from sim.camera.bodies import meet
from sim.camera.ground import on_road, painted
from sim.camera.light import developed, lit, sky
from sim.camera.spec import CameraSpec
from sim.kinds import AgentKind
from sim.scenario.record import NOWHERE, Log, Scenario, directions, places

CLASSES = 4
_GRASS, _ROAD, _PAINT = (0.13, 0.20, 0.07), (0.16, 0.16, 0.17), (0.72, 0.72, 0.68)
_CLASS_COLOURS = ((0.4, 0.4, 0.4), (0.20, 0.28, 0.52), (0.62, 0.26, 0.12), (0.12, 0.42, 0.24))
_SIDE_SHADES = (0.75, 0.9, 1.0)


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Frame:
    """One picture with its truth."""

    image: UInt8[Array, "*b height width 3"]
    classes: Int32[Array, "*b height width"]
    """Class of what each pixel shows; -1 where no agent is."""
    cells: Float32[Array, "*b rows columns C"]
    """Share of each cell's pixels that show a class, in [0, 1]."""
    boxes: Int32[Array, "*b K 4"]
    """First column and row, last column and row of what is seen of an agent; -1 where nothing is."""
    agents: Int32[Array, "*b K"]
    """Rows of the agents in the log, nearest first; -1 for none."""
    occluded: Float32[Array, "*b K"]
    """Share of an agent's pixels that something nearer hides, in [0, 1]; 1 where no pixel is its own."""


def render_camera(
    scenario: Scenario, pose: Float[Array, "3"], step: Int[Array, ""] | int, key: Key[Array, ""], *, spec: CameraSpec
) -> Frame:
    """Render from the ego's pose (x, y, heading in the scenario's frame) with everybody else as logged at a step."""
    origin, rays = _rays(pose, spec)
    rows, poses, sizes, kinds = _nearest(scenario.log, pose, step, spec)
    depths, _ = meet(origin, rays, poses, sizes, kinds)
    depths = jnp.where((rows >= 0)[None, :, None] & (depths < spec.range_m), depths, jnp.inf)
    own = depths.min(axis=2)
    front = own.min(axis=1)
    shown = jnp.where(jnp.isfinite(front), own.argmin(axis=1), -1)
    classes = jnp.where(shown >= 0, kinds[jnp.maximum(shown, 0)], -1)
    linear = _coloured(scenario, origin, rays, pose, spec)
    body = _body_colours(origin, rays, (poses, sizes, kinds), jnp.maximum(shown, 0), rows)
    agent = lit(body, **_where(rays * jnp.where(shown >= 0, front, 1.0)[:, None], pose), spec=spec)
    linear = jnp.where((shown >= 0)[:, None], agent, linear)
    shape = (spec.height, spec.width)
    visible = shown[:, None] == jnp.arange(spec.agents)
    return Frame(
        image=developed(linear.reshape(*shape, 3), key, spec),
        classes=classes.reshape(shape).astype(jnp.int32),
        cells=_cells(classes.reshape(shape), spec.cell),
        boxes=_boxes(visible, spec),
        agents=rows.astype(jnp.int32),
        occluded=_hidden(jnp.isfinite(own), visible),
    )


def _rays(pose: Float[Array, "3"], spec: CameraSpec) -> tuple[Float[Array, "3"], Float[Array, "P 3"]]:
    """Where the camera is, and the way of each pixel's middle in the world; one length is a metre ahead."""
    cosine, sine = jnp.cos(pose[2]), jnp.sin(pose[2])
    focal = 0.5 * spec.width / jnp.tan(0.5 * spec.field_of_view)
    left = (0.5 * spec.width - jnp.arange(spec.width) - 0.5) / focal
    up = (0.5 * spec.height - jnp.arange(spec.height) - 0.5) / focal
    up, left = (grid.ravel() for grid in jnp.meshgrid(up, left, indexing="ij"))
    ahead = jnp.cos(spec.pitch) + up * jnp.sin(spec.pitch)
    rise = up * jnp.cos(spec.pitch) - jnp.sin(spec.pitch)
    rays = jnp.stack([ahead * cosine - left * sine, ahead * sine + left * cosine, rise], axis=1)
    place = pose[:2] + spec.mount_ahead_m * jnp.stack([cosine, sine])
    return jnp.concatenate([place, jnp.array([spec.mount_height_m])]), rays


def _nearest(
    log: Log, pose: Float[Array, "3"], step: Int[Array, ""] | int, spec: CameraSpec
) -> tuple[Int[Array, "K"], Float[Array, "K 4"], Float[Array, "K 3"], Int[Array, "K"]]:
    """The agents nearest to the ego, without the ego itself; row -1 for none."""
    now = log.states[step]
    place = places(now[:2])
    seen = (now[0] != NOWHERE) & (jnp.arange(now.shape[1]) > 0)
    away = jnp.where(seen, ((place - pose[:2, None]) ** 2).sum(axis=0), jnp.inf)
    smallest, rows = jax.lax.top_k(-away, spec.agents)
    poses = jnp.concatenate([place[:, rows], directions(now[2:4, rows])]).T
    sizes = jnp.concatenate([log.sizes[rows], log.heights[rows, None]], axis=1)
    return jnp.where(jnp.isfinite(smallest), rows, -1), poses, sizes, log.kinds[rows].astype(jnp.int32)


def _coloured(
    scenario: Scenario, origin: Float[Array, "3"], rays: Float[Array, "P 3"], pose: Float[Array, "3"], spec: CameraSpec
) -> Float[Array, "P 3"]:
    """Ground and sky."""
    above = _rows_above_ground(spec) * spec.width
    low = rays[above:]
    reach = -origin[2] / low[:, 2]
    where = origin[:2] + low[:, :2] * reach[:, None]
    road = on_road(scenario.ground, where)
    ahead = pose[:2] + 15.0 * jnp.stack([jnp.cos(pose[2]), jnp.sin(pose[2])])
    paint = painted(scenario.roads, where, around=ahead, markings=spec.markings)
    colour = jnp.where(road[:, None], jnp.array(_ROAD), jnp.array(_GRASS))
    colour = jnp.where((paint & road)[:, None], jnp.array(_PAINT), colour)
    ground = lit(colour, **_where(low * reach[:, None], pose), spec=spec)
    above_all = sky(rays[:, 2], spec)
    seen = jnp.where((reach < 4.0 * spec.range_m)[:, None], ground, above_all[above:])
    return jnp.concatenate([above_all[:above], seen])


def _rows_above_ground(spec: CameraSpec) -> int:
    """How many rows of the picture look at the horizon or above: the camera does not roll, so whole rows do."""
    focal = 0.5 * spec.width / math.tan(0.5 * spec.field_of_view)
    level = 0.5 * spec.height - 0.5 - focal * math.tan(spec.pitch - 1e-4)
    return min(max(math.floor(level) + 1, 0), spec.height)


def _where(way: Float[Array, "P 3"], pose: Float[Array, "3"]) -> dict[str, Float[Array, "P"]]:
    cosine, sine = jnp.cos(pose[2]), jnp.sin(pose[2])
    return {"ahead": way[:, 0] * cosine + way[:, 1] * sine, "aside": way[:, 1] * cosine - way[:, 0] * sine}


def _body_colours(
    origin: Float[Array, "3"],
    rays: Float[Array, "P 3"],
    agents: tuple[Float[Array, "K 4"], Float[Array, "K 3"], Int[Array, "K"]],
    which: Int[Array, "P"],
    rows: Int[Array, "K"],
) -> Float[Array, "P 3"]:
    """Colour by class, a little different for each agent, darker on the sides; the cabins of vehicles are glass.

    The side that a ray meets is found for the one agent that its pixel shows and not for all.
    """

    def met(ray: Float[Array, "3"], poses: Array, sizes: Array, kind: Array) -> tuple[Array, Array]:
        depths, sides = meet(origin, ray[None], poses[None], sizes[None], kind[None])
        part = depths[0, 0].argmin()
        return part, jnp.where(part == 0, sides[0, 0, 0], sides[0, 0, 1])

    poses, sizes, kinds = (table[which] for table in agents)
    part, side = jax.vmap(met)(rays, poses, sizes, kinds)
    tint = 0.55 + 0.9 * jnp.mod(rows[which].astype(jnp.float32) * jnp.array([[0.37], [0.61], [0.83]]), 1.0).T
    colour = jnp.array(_CLASS_COLOURS)[kinds] * tint
    glass = ((part == 1) & (kinds == AgentKind.VEHICLE) & (side != 2))[:, None]
    colour = jnp.where(glass, jnp.array([0.05, 0.06, 0.08]), colour)
    return colour * jnp.array(_SIDE_SHADES)[side][:, None]


def _cells(classes: Int[Array, "height width"], cell: int) -> Float[Array, "rows columns C"]:
    height, width = classes.shape
    tiles = classes.reshape(height // cell, cell, width // cell, cell)
    return (tiles[..., None] == jnp.arange(CLASSES)).mean(axis=(1, 3), dtype=jnp.float32)


def _boxes(visible: Bool[Array, "P K"], spec: CameraSpec) -> Int[Array, "K 4"]:
    mask = visible.reshape(spec.height, spec.width, -1)
    spans = [_span(mask.any(axis=0)), _span(mask.any(axis=1))]
    first, last = zip(*spans, strict=True)
    boxes = jnp.stack([*first, *last], axis=1)
    return jnp.where(visible.any(axis=0)[:, None], boxes, -1).astype(jnp.int32)


def _span(used: Bool[Array, "line K"]) -> tuple[Int[Array, "K"], Int[Array, "K"]]:
    return used.argmax(axis=0), used.shape[0] - 1 - used[::-1].argmax(axis=0)


def _hidden(own: Bool[Array, "P K"], visible: Bool[Array, "P K"]) -> Float[Array, "K"]:
    whole, seen = own.sum(axis=0), visible.sum(axis=0)
    return jnp.where(whole > 0, 1.0 - seen / jnp.maximum(whole, 1), 1.0).astype(jnp.float32)


render_many = jax.jit(
    lambda scenarios, poses, steps, keys, spec: jax.vmap(partial(render_camera, spec=spec))(
        scenarios, poses, steps, keys
    ),
    static_argnums=4,
)
"""`render_camera` for a batch of scenes, compiled once per spec."""
