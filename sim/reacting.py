"""Traffic that minds the ego: agents in whose recorded way it is brake for it and go on later.

An agent keeps to its recorded path and lags in time: its pose is that of the log at a time of its own, which runs
as fast as the clock while nothing is in the way and slower when the intelligent driver model asks for it. So an
agent that nobody hinders is exactly where it was recorded, and none is ever ahead of its recording. Agents mind
the ego alone, and only where they drive its way; lights and each other they have minded in the recording. Those
nearest behind the ego look along their way: who is farther has one of them before it.

Source: Treiber, Hennecke, Helbing 2000, "Congested traffic states in empirical observations and simulations", with
the recorded speed in place of the free one.

Axes: A agents, F of them that look, H steps of an agent's recorded future.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Float32, Int16, Int32

from sim.dynamics import Motion
from sim.geometry import gap
from sim.lookup import take
from sim.nearest import smallest
from sim.scenario.record import DIRECTION, NOWHERE, PLACE_M, STEP_S, Leaf, Log
from sim.view import axes_of, boxes_around

AHEAD_STEPS = 24
"""How much of its own recorded future an agent looks along."""
LOOKING = 8
"""How many agents look."""
SAME_WAY_COSINE = 0.7
"""The ego is followed where the headings differ by less: crossing traffic has looked at the lights."""
STANDING_GAP_M = 2.0
TIME_GAP_S = 0.6
"""As short as people drive: a longer one would slow those who follow closely in the recording."""
ACCELERATION = 2.0
"""m/s^2, of an agent that was hindered."""
BRAKING = 3.0
"""m/s^2, comfortable."""
HARDEST = 8.0
"""m/s^2."""
_SLOW_MPS = 0.1


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Traffic:
    """Where the agents are that react, and how far they lag."""

    states: Int16[Array, "*b 6 A"]
    """As a row of Log.states."""
    time: Float[Array, "*b A"]
    """Step of the recording that each agent has got to; at most the step of the scene."""
    pace: Float[Array, "*b A"]
    """Share of its recorded speed that it drives at, in [0, 1]."""
    speed: Float[Array, "*b A"]
    """m/s that it was recorded to drive over the step that it is in."""


def recorded_traffic(log: Log, step: Int32[Array, ""]) -> Traffic:
    """Everybody where they were recorded."""
    time = jnp.full(log.states.shape[-1], step, jnp.float32)
    return _traffic_at(log, time, jnp.ones_like(time))


def react(log: Log, traffic: Traffic, ego: Motion) -> Traffic:
    """The traffic 0.2 s later, having seen the ego where it is now."""
    index, there = _looking(traffic, ego)
    driven = take(traffic.pace * traffic.speed, index)
    room, ego_speed = _way_to(log, traffic, ego, index=index)
    allowed = jnp.where(there, _allowed(driven, room, driven - ego_speed), jnp.inf)
    numbers = jnp.arange(traffic.time.shape[0])
    allowed = jnp.min(jnp.where(index[:, None] == numbers, allowed[:, None], jnp.inf), axis=0)
    free = traffic.pace + STEP_S * ACCELERATION / jnp.maximum(traffic.speed, 1.0)
    pace = jnp.clip(jnp.minimum(allowed / jnp.maximum(traffic.speed, _SLOW_MPS), free), 0.0, 1.0)
    return _traffic_at(log, traffic.time + pace, pace)


def traffic_along(log: Log, drive: Motion) -> Int16[Array, "T 6 A"]:
    """How the traffic of a recording reacts to an ego that drives so: rows as in Log.states, for T motions [T].

    The first motion is where the recording begins.
    """

    def one_step(traffic: Traffic, ego: Motion) -> tuple[Traffic, Int16[Array, "6 A"]]:
        return react(log, traffic, ego), traffic.states

    return jax.lax.scan(one_step, recorded_traffic(log, jnp.int32(0)), drive)[1]


def _looking(traffic: Traffic, ego: Motion) -> tuple[Int32[Array, "F"], Bool[Array, "F"]]:
    """The nearest agents that move and have the ego ahead of them, and whether there is one."""
    x, y, cosine, sine = (traffic.states[number].astype(jnp.float32) for number in range(4))
    away_x, away_y = ego.x - x * PLACE_M, ego.y - y * PLACE_M
    looks = (traffic.states[0] != NOWHERE) & (away_x * cosine + away_y * sine > 0.0) & (traffic.speed > _SLOW_MPS)
    looks = looks.at[0].set(False)  # The recorded ego is a recording.
    return smallest(jnp.where(looks, away_x**2 + away_y**2, jnp.inf), min(LOOKING, looks.shape[0]))


def _allowed(
    driven: Float32[Array, "F"], room: Float32[Array, "F"], approach: Float32[Array, "F"]
) -> Float32[Array, "F"]:
    """m/s for the next step of agents that drive so fast; infinite where there is room for ever."""
    wanted = STANDING_GAP_M + jnp.maximum(
        driven * TIME_GAP_S + driven * approach / (2.0 * (ACCELERATION * BRAKING) ** 0.5), 0.0
    )
    # Nearer than wanted it brakes, farther it may speed up: nobody is slowed by an ego at a distance.
    change = jnp.clip(ACCELERATION * (1.0 - (wanted / jnp.maximum(room, 0.1)) ** 2), -HARDEST, ACCELERATION)
    allowed = jnp.where(room < _SLOW_MPS, 0.0, jnp.maximum(driven + STEP_S * change, 0.0))
    return jnp.where(jnp.isfinite(room), allowed, jnp.inf)


def _way_to(
    log: Log, traffic: Traffic, ego: Motion, *, index: Int32[Array, "F"]
) -> tuple[Float32[Array, "F"], Float32[Array, "F"]]:
    """Of agents by their number: metres along the recorded way until it would touch the ego, infinite where it never
    would; and m/s at which the ego drives its way.

    The metres are those to the last recorded pose before the touch, and the gap that is left there: never more
    than the true ones.
    """
    steps = jnp.floor(take(traffic.time, index))[None] + jnp.arange(1, AHEAD_STEPS + 1, dtype=jnp.float32)[:, None]
    now = _columns(traffic.states, jnp.zeros((1, index.shape[0]), jnp.int32), index)
    ahead = jnp.concatenate([now, _rows(log, steps, index)])
    sizes, axes = jnp.asarray(log.sizes), axes_of(ego)
    own_sizes = take(sizes, index)

    def measured(states: Int16[Array, "6 F"]) -> tuple[Array, Array]:
        boxes = boxes_around(ego, axes, states=states, sizes=own_sizes, ego_size=sizes[0])
        return jnp.where(boxes.seen, gap(boxes.pair), jnp.inf), boxes.pair.cosine

    apart, cosine = jax.vmap(measured)(ahead)
    touches = (apart < 0.0) & (cosine > SAME_WAY_COSINE)
    last_free = jnp.maximum(jnp.argmax(touches, axis=0) - 1, 0)
    place = ahead[:, :2].astype(jnp.float32) * PLACE_M
    legs = jnp.hypot(place[1:, 0] - place[:-1, 0], place[1:, 1] - place[:-1, 1])
    passed = jnp.sum(jnp.where(jnp.arange(AHEAD_STEPS)[:, None] < last_free, legs, 0.0), axis=0)
    left = jnp.maximum(jnp.take_along_axis(apart, last_free[None], axis=0)[0], 0.0)
    room = jnp.where(jnp.any(touches, axis=0), passed + left, jnp.inf)
    return room, ego.speed * cosine[0]


def _columns(
    states: Int16[Leaf, "*t 6 A"], row: Int32[Array, "H F"], index: Int32[Array, "F"]
) -> Int16[Array, "H 6 F"]:
    """Agents by their number, each at rows of its own."""
    count = states.shape[-1]
    place = (row[:, None, :] * 6 + jnp.arange(6, dtype=jnp.int32)[:, None]) * count + index
    found: Array = take(jnp.asarray(states).reshape(-1), place)
    return found


def _rows(log: Log, time: Float32[Array, "H F"], index: Int32[Array, "F"]) -> Int16[Array, "H 6 F"]:
    """The log of agents by their number, at whole steps, of each its own; the last row for later ones."""
    return _columns(log.states, jnp.clip(time.astype(jnp.int32), 0, log.states.shape[0] - 1), index)


def _traffic_at(log: Log, time: Float32[Array, "A"], pace: Float32[Array, "A"]) -> Traffic:
    """Poses on the straight line between two rows; a row itself at its own time, to the bit."""
    before = jnp.floor(time)
    everyone = jnp.arange(time.shape[0], dtype=jnp.int32)
    first, second = _rows(log, jnp.stack([before, before + 1.0]), everyone)
    gone = first[0] == NOWHERE
    # Who was not seen in the second row stays at the first.
    pair = first.astype(jnp.float32), jnp.where(second[0] == NOWHERE, first, second).astype(jnp.float32)
    step = pair[1] - pair[0]
    mixed = pair[0] + (time - before) * step
    length = jnp.maximum(jnp.hypot(mixed[2], mixed[3]) * DIRECTION, 1e-6)
    turned = jnp.where(time > before, mixed[2:4] / length, mixed[2:4])
    states = jnp.round(jnp.concatenate([mixed[:2], turned, mixed[4:] * pace])).astype(jnp.int16)
    return Traffic(
        states=jnp.where(gone, first, states),
        time=time,
        pace=pace,
        speed=jnp.where(gone, 0.0, jnp.hypot(step[0], step[1]) * PLACE_M / STEP_S),
    )
