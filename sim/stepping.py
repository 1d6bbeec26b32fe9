"""Reset and step: the ego moves by its command, everybody else as recorded or in reaction to it."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Float32, Int32, UInt32

from sim.bits import pack_bits
from sim.dynamics import Motion, VehicleLimits, drive, steering_for
from sim.geometry import gap
from sim.lookup import row
from sim.progress import project
from sim.reacting import react, recorded_traffic
from sim.scenario.record import STEP_S, Scenario
from sim.state import SimState
from sim.view import axes_of, boxes_around

STANDING_MPS = 0.5
"""Slower than this counts as standing."""
TURNING = 0.02
"""rad/s: steering slower than this is no turn of the wheel."""
_LIMITS = VehicleLimits()


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Command:
    """What the driver asks of the car for one step."""

    acceleration: Float[Array, "*b"]
    """m/s^2, along the heading."""
    steering_rate: Float[Array, "*b"]
    """rad/s of the steering angle; positive to the left."""


def reset(
    scenario: Scenario, start: Int32[Array, ""] | int = 0, *, limits: VehicleLimits = _LIMITS, reactive: bool = False
) -> SimState:
    """The ego as it was recorded at step `start`; with `reactive`, agents that follow the ego brake for it.

    The ego counts as having stood there: what was before is not known.
    """
    step = jnp.asarray(start, jnp.int32)
    motion = recorded_motion(scenario, step, limits=limits)
    near = row(scenario.log.ego, step)[4]
    distance = project(scenario.route, motion.x, motion.y, near=near)
    return SimState(
        step=step,
        motion=motion,
        distance=distance,
        stood_at=distance,
        turned=jnp.zeros(()),
        ignored=_overlapping(scenario, motion, step),
        traffic=recorded_traffic(scenario.log, step) if reactive else None,
    )


def step(scenario: Scenario, state: SimState, command: Command, *, limits: VehicleLimits = _LIMITS) -> SimState:
    """The state 0.2 s later, under a command."""
    length = jnp.asarray(scenario.log.sizes)[0, 0]
    motion = drive(state.motion, (command.acceleration, command.steering_rate), length=length, limits=limits)
    return arrive(scenario, state, motion)


def follow_log(scenario: Scenario, state: SimState, *, limits: VehicleLimits = _LIMITS) -> SimState:
    """The state 0.2 s later with the ego put where it was recorded."""
    return arrive(scenario, state, recorded_motion(scenario, state.step + 1, limits=limits))


def arrive(scenario: Scenario, state: SimState, motion: Motion) -> SimState:
    """The next state, given how the ego moves then."""
    distance = project(scenario.route, motion.x, motion.y, near=state.distance)
    turn = motion.steering - state.motion.steering
    return replace(
        state,
        step=state.step + 1,
        motion=motion,
        distance=distance,
        stood_at=jnp.where(motion.speed < STANDING_MPS, distance, state.stood_at),
        turned=jnp.where(jnp.abs(turn) > TURNING * STEP_S, jnp.sign(turn), state.turned),
        traffic=None if state.traffic is None else react(scenario.log, state.traffic, state.motion),
    )


def recorded_motion(scenario: Scenario, step: Int32[Array, ""], *, limits: VehicleLimits = _LIMITS) -> Motion:
    """How the recorded ego moved at a step; the steering angle is the one that turns the car as it turned."""
    before, now, after = (row(scenario.log.ego, step + shift) for shift in (-1, 0, 1))
    length = jnp.asarray(scenario.log.sizes)[0, 0]
    # The turn over the next step, where there is one, as the steering angle acts on it.
    turning = jnp.where(step + 1 < jnp.asarray(scenario.log.steps), after[2] - now[2], now[2] - before[2])
    return Motion(
        x=now[0],
        y=now[1],
        heading=now[2],
        speed=now[3],
        steering=steering_for(wrapped(turning) / STEP_S, now[3], length=length, limits=limits),
        acceleration=(now[3] - before[3]) / STEP_S,
        yaw_rate=wrapped(now[2] - before[2]) / STEP_S,
    )


def running(scenario: Scenario, state: SimState) -> Bool[Array, ""]:
    """Whether the state lies within what was recorded."""
    return state.step < jnp.asarray(scenario.log.steps)


def wrapped(angle: Float32[Array, ""]) -> Float32[Array, ""]:
    """The same angle in [-pi, pi)."""
    return jnp.mod(angle + jnp.pi, 2 * jnp.pi) - jnp.pi


def _overlapping(scenario: Scenario, motion: Motion, step: Int32[Array, ""]) -> UInt32[Array, "W"]:
    """One bit for each agent whose box overlaps the ego's; the recorded ego's own is always set."""
    boxes = boxes_around(
        motion,
        axes_of(motion),
        states=row(scenario.log.states, step),
        sizes=scenario.log.sizes,
        ego_size=jnp.asarray(scenario.log.sizes)[0],
    )
    itself = jnp.arange(boxes.seen.shape[0]) == 0
    return pack_bits((gap(boxes.pair) < 0.0) & boxes.seen | itself)
