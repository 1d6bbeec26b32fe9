"""Scenario: one scene as the simulator reads it. Static shapes, small numbers, read-only.

Everything that can be computed once per scene has been: a step only looks up. Coordinates are relative to the
scene's centre. Positions and lengths are int16 in units of 2 cm, sines and cosines int16 in units of 1/32767,
speeds int16 in cm/s; `places` and `directions` give them back as float32.

Axes: *b any batch, T steps of 0.2 s, A agents (the recorded ego first), P points of the route 2 m apart,
L tracks of lanes along the route, S stop lines, R road elements, N tiles, G tiles across the scene,
C cells across a tile, D = 2 blocks across a tile, K elements listed per block.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Float32, Int8, Int16, Int32, UInt8

STEP_S = 0.2
"""Time between two steps."""
PLACE_M = 0.02
"""Unit of positions and lengths."""
SPEED_MPS = 0.01
"""Unit of velocities."""
DIRECTION = 1.0 / 32767.0
"""Unit of sines and cosines."""
NOWHERE = -32768
"""In place of x: nothing is here (an agent that was not seen, a lane that does not exist, padding)."""

ROUTE_STEP_M = 2.0
"""Distance between two points of the route."""
CELL_M = 0.5
"""Distance between two samples of the rasters."""
TILE_CELLS = 64
TILE_M = CELL_M * (TILE_CELLS - 1)
"""Side of a tile: neighbours share their border samples, so that interpolation never needs two tiles."""
DISTANCE_M = 0.05
"""Unit of the distances in the raster: they saturate at 6.35 m."""
BLOCKS = 2
"""Blocks across a tile, each with a list of road elements of its own."""


@dataclass(frozen=True)
class Sizes:
    """How many of each thing a scenario has room for. Scenarios of equal sizes share one compilation."""

    agents: int = 512
    steps: int = 151
    route_points: int = 512
    lanes: int = 8
    """At most 8: the raster has a bit for each."""
    stops: int = 16
    roads: int = 2048
    tiles: int = 52
    grid: int = 64
    """Tiles across the square that the scene may lie in."""
    listed: int = 128
    """Road elements listed per block."""


Leaf: TypeAlias = Array | np.ndarray[Any, np.dtype[Any]]
"""Scenarios are prepared, stored and loaded as numpy arrays, often memory-mapped; on a device they are jax's."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Log:
    """What the agents did, time-major: a step reads one row."""

    states: Int16[Leaf, "*b T 6 A"]
    """x, y, cos, sin, vx, vy; x = NOWHERE where the agent was not seen. Agent 0 is the recorded ego."""
    sizes: Float32[Leaf, "*b A 2"]
    """Length and width, metres; 0 for padding."""
    heights: Float32[Leaf, "*b A"]
    kinds: Int8[Leaf, "*b A"]
    """Values of AgentKind."""
    ego: Float32[Leaf, "*b T 5"]
    """The recorded ego, resampled but not rounded: x, y (m), heading (rad), speed (m/s, negative backwards) and
    distance along the route (m)."""
    steps: Int32[Leaf, "*b"]
    """Steps that were recorded; those behind are padding."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Route:
    """The way to drive: a reference line, up to L tracks of lanes along it, and where to stop.

    A track is a row of lanes one after the other; all points with the same P lie abreast. Distances are along
    the reference line from its first point.
    """

    line: Float32[Leaf, "*b P 4"]
    """x, y (m), cos, sin of the driving direction; the last real point is repeated in the padding."""
    borders: Int16[Leaf, "*b L P 4"]
    """Left x, y and right x, y of each track; NOWHERE in left x where the track does not exist."""
    speed_limits: Float32[Leaf, "*b P"]
    """m/s; 0 where none is known."""
    length: Float32[Leaf, "*b"]
    """Metres; 0 where the scene has no route."""
    stop_at: Float32[Leaf, "*b S"]
    """Distance of each stop line, rising; infinite for padding."""
    stop_kinds: Int8[Leaf, "*b S"]
    """Values of StopKind."""
    lights: Int8[Leaf, "*b T S"]
    """Values of LightState; UNKNOWN for stop signs and padding."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Ground:
    """Rasters in tiles where the ego may get to. Outside them nothing is on the road."""

    origin: Float32[Leaf, "*b 2"]
    """The corner of the grid with the smallest x and y, metres."""
    tiles: Int16[Leaf, "*b G G"]
    """Number of the tile at [row of y, column of x]; -1 for none."""
    distances: Int8[Leaf, "*b N C C"]
    """Signed distance to the road's edge at the samples [y, x], units of 5 cm: positive on the road."""
    lanes: UInt8[Leaf, "*b N C C"]
    """Bit i is set where track i of the route may be driven on, widened by the tolerance of `prepare`."""
    listed: Int16[Leaf, "*b N D D K"]
    """Road elements nearest to the middle of each block [y, x], nearest first; -1 for none."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Roads:
    """Road elements: straight pieces of lines, edges, lanes, crosswalks, bumps and signs."""

    elements: Int16[Leaf, "*b R 6"]
    """x, y of the middle, cos, sin of its direction, half length, RoadKind; NOWHERE in x for padding."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Scenario:
    """One scene."""

    log: Log
    route: Route
    ground: Ground
    roads: Roads


def places(units: Int16[Array, "*any"]) -> Float32[Array, "*any"]:
    """Metres from units of 2 cm."""
    return units.astype(jnp.float32) * PLACE_M


def directions(units: Int16[Array, "*any"]) -> Float32[Array, "*any"]:
    """Sines and cosines from units of 1/32767."""
    return units.astype(jnp.float32) * DIRECTION


def speeds(units: Int16[Array, "*any"]) -> Float[Array, "*any"]:
    """m/s from units of 1 cm/s."""
    return units.astype(jnp.float32) * SPEED_MPS
