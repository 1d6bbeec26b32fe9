"""Traffic that minds the ego: agents in whose recorded way it is brake for it and go on later.

An agent keeps to its recorded path and lags in time: its pose is that of the log at a time of its own, which runs
as fast as the clock while nothing is in the way and slower when the intelligent driver model asks for it. So an
agent that nobody hinders is exactly where it was recorded, and none is ever ahead of its recording. Agents mind
the ego alone, and only where they drive its way; lights and each other they have minded in the recording.

Source: Treiber, Hennecke, Helbing 2000, "Congested traffic states in empirical observations and simulations", with
the recorded speed in place of the free one.

Axes: A agents, H steps of an agent's recorded future.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Float32, Int16, Int32

from sim.dynamics import Motion
from sim.geometry import gap
from sim.lookup import take
from sim.scenario.record import DIRECTION, NOWHERE, PLACE_M, STEP_S, Log
from sim.view import axes_of, boxes_around

AHEAD_STEPS = 24
"""How much of its own recorded future an agent looks along."""
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


def recorded_traffic(log: Log, step: Int32[Array, ""]) -> Traffic:
    """Everybody where they were recorded."""
    time = jnp.full(log.states.shape[-1], step, jnp.float32)
    pace = jnp.ones_like(time)
    return Traffic(states=_states_at(log, time, pace), time=time, pace=pace)


def react(log: Log, traffic: Traffic, ego: Motion) -> Traffic:
    """The traffic 0.2 s later, having seen the ego where it is now."""
    room, approach, speed = _way_to(log, traffic, ego)
    pace = _pace(traffic.pace, room, approach, speed).at[0].set(1.0)  # The recorded ego is a recording.
    time = traffic.time + pace
    return Traffic(states=_states_at(log, time, pace), time=time, pace=pace)


def traffic_along(log: Log, drive: Motion) -> Int16[Array, "T 6 A"]:
    """How the traffic of a recording reacts to an ego that drives so: rows as in Log.states, for T motions [T].

    The first motion is where the recording begins.
    """

    def one_step(traffic: Traffic, ego: Motion) -> tuple[Traffic, Int16[Array, "6 A"]]:
        return react(log, traffic, ego), traffic.states

    return jax.lax.scan(one_step, recorded_traffic(log, jnp.int32(0)), drive)[1]


def _pace(
    pace: Float32[Array, "A"], room: Float32[Array, "A"], approach: Float32[Array, "A"], speed: Float32[Array, "A"]
) -> Float32[Array, "A"]:
    """The share of the recorded speed for the next step."""
    driven = pace * speed
    wanted = STANDING_GAP_M + jnp.maximum(
        driven * TIME_GAP_S + driven * approach / (2.0 * (ACCELERATION * BRAKING) ** 0.5), 0.0
    )
    # Nearer than wanted it brakes, farther it may speed up: nobody is slowed by an ego at a distance.
    change = jnp.clip(ACCELERATION * (1.0 - (wanted / jnp.maximum(room, 0.1)) ** 2), -HARDEST, ACCELERATION)
    allowed = jnp.maximum(driven + STEP_S * change, 0.0)
    allowed = jnp.where(room < _SLOW_MPS, 0.0, allowed)
    free = pace + STEP_S * ACCELERATION / jnp.maximum(speed, 1.0)
    hindered = jnp.isfinite(room) & (speed > _SLOW_MPS)
    slowed = jnp.minimum(allowed / jnp.maximum(speed, _SLOW_MPS), free)
    return jnp.clip(jnp.where(hindered, slowed, free), 0.0, 1.0)


def _way_to(
    log: Log, traffic: Traffic, ego: Motion
) -> tuple[Float32[Array, "A"], Float32[Array, "A"], Float32[Array, "A"]]:
    """Of each agent: metres along its recorded way until it would touch the ego, infinite where it never would;
    m/s by which it comes nearer; and its recorded speed now.

    The metres are those to the last recorded pose before the touch, and the gap that is left there: never more
    than the true ones.
    """
    numbers = jnp.floor(traffic.time)[None] + jnp.arange(1, AHEAD_STEPS + 1, dtype=jnp.float32)[:, None]
    ahead = jnp.concatenate([traffic.states[None], _rows(log, numbers)])
    sizes, axes = jnp.asarray(log.sizes), axes_of(ego)

    def measured(states: Int16[Array, "6 A"]) -> tuple[Array, ...]:
        boxes = boxes_around(ego, axes, states=states, sizes=sizes, ego_size=sizes[0])
        # The third axis of a pair is the agent's own heading: the ego lies ahead where its centre is negative.
        return gap(boxes.pair), boxes.seen, boxes.pair.cosine, boxes.pair.centre[2] < 0.0

    apart, there, cosine, behind = jax.vmap(measured)(ahead)
    touches = there & (apart < 0.0) & (cosine > SAME_WAY_COSINE)
    last_free = jnp.maximum(jnp.argmax(touches, axis=0) - 1, 0)
    place = ahead[:, :2].astype(jnp.float32) * PLACE_M
    legs = jnp.hypot(place[1:, 0] - place[:-1, 0], place[1:, 1] - place[:-1, 1])
    passed = jnp.sum(jnp.where(jnp.arange(AHEAD_STEPS)[:, None] < last_free, legs, 0.0), axis=0)
    left = jnp.maximum(jnp.take_along_axis(apart, last_free[None], axis=0)[0], 0.0)
    speed = _recorded_speed(log, traffic.time)
    room = jnp.where(jnp.any(touches, axis=0) & there[0] & behind[0], passed + left, jnp.inf)
    return room, traffic.pace * speed - ego.speed * cosine[0], speed


def _rows(log: Log, time: Float32[Array, "H A"]) -> Int16[Array, "H 6 A"]:
    """The log at whole steps, of each agent its own; the last row for later ones."""
    steps, _, count = log.states.shape
    row = jnp.clip(time.astype(jnp.int32), 0, steps - 1)[:, None, :]
    place = (row * 6 + jnp.arange(6, dtype=jnp.int32)[:, None]) * count + jnp.arange(count, dtype=jnp.int32)
    states: Array = take(jnp.asarray(log.states).reshape(-1), place)
    return states


def _pair_of_rows(log: Log, time: Float32[Array, "A"]) -> tuple[Int16[Array, "2 6 A"], Float32[Array, "A"]]:
    """The rows before and after a time, and the share of the way from one to the other; the same row twice where
    the agent was not seen in the second."""
    before = jnp.floor(time)
    rows = _rows(log, jnp.stack([before, before + 1.0]))
    second = jnp.where(rows[1, 0] == NOWHERE, rows[0], rows[1])
    return jnp.stack([rows[0], second]), time - before


def _recorded_speed(log: Log, time: Float32[Array, "A"]) -> Float32[Array, "A"]:
    """m/s over the recorded step that each agent is in."""
    (first, second), _ = _pair_of_rows(log, time)
    way = (second[:2].astype(jnp.float32) - first[:2].astype(jnp.float32)) * PLACE_M
    return jnp.where(first[0] == NOWHERE, 0.0, jnp.hypot(way[0], way[1]) / STEP_S)


def _states_at(log: Log, time: Float32[Array, "A"], pace: Float32[Array, "A"]) -> Int16[Array, "6 A"]:
    """Poses on the straight line between two rows; a row itself at its own time, to the bit."""
    pair, share = _pair_of_rows(log, time)
    first, second = pair.astype(jnp.float32)
    mixed = first + share * (second - first)
    length = jnp.maximum(jnp.hypot(mixed[2], mixed[3]) * DIRECTION, 1e-6)
    turned = jnp.where(share > 0.0, mixed[2:4] / length, mixed[2:4])
    states = jnp.round(jnp.concatenate([mixed[:2], turned, mixed[4:] * pace])).astype(jnp.int16)
    return jnp.where(pair[0, 0] == NOWHERE, pair[0], states)
