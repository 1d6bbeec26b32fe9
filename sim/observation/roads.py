"""Road elements near the ego and the borders of the route."""

import jax.numpy as jnp
from jaxtyping import Array, Float32

from sim.lookup import take
from sim.measures.ground import tile_at
from sim.measures.route import route_index
from sim.observation.record import Borders, Tokens
from sim.scenario.record import BLOCKS, DIRECTION, NOWHERE, PLACE_M, ROUTE_STEP_M, TILE_M, Route, Scenario
from sim.state import SimState
from sim.view import Axes


def observe_roads(scenario: Scenario, state: SimState, axes: Axes, *, most: int) -> Tokens:
    """Elements listed for the block that the ego is in: the nearest to the block's middle. None outside the tiles."""
    ground, cosine, sine = scenario.ground, *axes
    number, within_x, within_y = tile_at(ground, state.motion.x[None], state.motion.y[None])
    column, line = (
        jnp.minimum((within * (BLOCKS / TILE_M)).astype(jnp.int32), BLOCKS - 1) for within in (within_x, within_y)
    )
    block = ((jnp.maximum(number, 0) * BLOCKS + line) * BLOCKS + column)[0]
    room = ground.listed.shape[-1]
    places = block * room + jnp.arange(min(most, room), dtype=jnp.int32)
    listed = take(jnp.asarray(ground.listed).reshape(-1), places).astype(jnp.int32)
    elements = take(scenario.roads.elements, jnp.maximum(listed, 0))
    valid = (listed >= 0) & (number >= 0) & (elements[:, 0] != NOWHERE)
    x, y, along_cosine, along_sine, half_length, kinds = (elements[:, field] for field in range(6))
    offset_x = x.astype(jnp.float32) * PLACE_M - state.motion.x
    offset_y = y.astype(jnp.float32) * PLACE_M - state.motion.y
    along_cosine, along_sine = along_cosine.astype(jnp.float32) * DIRECTION, along_sine.astype(jnp.float32) * DIRECTION
    columns = (
        offset_x * cosine + offset_y * sine,
        offset_y * cosine - offset_x * sine,
        along_cosine * cosine + along_sine * sine,
        along_sine * cosine - along_cosine * sine,
        half_length.astype(jnp.float32) * PLACE_M,
    )
    features = jnp.where(valid[:, None], jnp.stack(columns, axis=-1), 0.0)
    return Tokens(features=features, kinds=jnp.where(valid, kinds, 0).astype(jnp.int8), valid=valid)


def observe_borders(route: Route, state: SimState, axes: Axes, *, points: int, behind: int) -> Borders:
    """Borders from `behind` points before the ego on; not valid before the first and after the last point."""
    tracks, length, _ = route.borders.shape
    first = route_index(route, state.distance) - behind
    places = first + jnp.arange(points, dtype=jnp.int32)
    known = (places >= 0) & (places * ROUTE_STEP_M <= jnp.asarray(route.length)) & (places < length)
    index = jnp.arange(tracks, dtype=jnp.int32)[:, None] * length + jnp.clip(places, 0, length - 1)
    borders = take(jnp.asarray(route.borders).reshape(tracks * length, 4), index)
    valid = known & (borders[..., 0] != NOWHERE) & (jnp.asarray(route.length) > 0.0)
    return Borders(features=jnp.where(valid[..., None], _turned(borders, state, axes), 0.0), valid=valid)


def _turned(borders: Array, state: SimState, axes: Axes) -> Float32[Array, "L Q 4"]:
    """Pairs of x and y into the ego's frame."""
    cosine, sine = axes
    places = [borders[..., number].astype(jnp.float32) * PLACE_M for number in range(4)]
    columns = []
    for x, y in (places[:2], places[2:]):
        offset_x, offset_y = x - state.motion.x, y - state.motion.y
        columns += [offset_x * cosine + offset_y * sine, offset_y * cosine - offset_x * sine]
    # Beside each other only at the end: where columns are interleaved, a loop asks at each number which it is.
    return jnp.moveaxis(jnp.stack(columns), 0, -1)
