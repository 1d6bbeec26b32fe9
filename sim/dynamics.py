"""A car as a bicycle without slip: speed and steering angle change at the rates that are commanded, within limits."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from sim.scenario.record import STEP_S

WHEELBASE_SHARE = 0.6
"""Wheelbase of a car as a share of its length."""


@dataclass(frozen=True)
class VehicleLimits:
    """What the car can do; commands beyond are clipped."""

    min_acceleration: float = -8.0
    """m/s^2, braking."""
    max_acceleration: float = 4.0
    max_speed: float = 45.0
    """m/s. The car brakes to a stop and never drives backwards."""
    max_steering: float = 0.7
    """Steering angle of the front wheels to either side, radians."""
    max_steering_rate: float = 1.0
    """rad/s to either side."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Motion:
    """Where the middle of the car is and how it moves."""

    x: Float[Array, "*b"]
    y: Float[Array, "*b"]
    heading: Float[Array, "*b"]
    """Radians, counter-clockwise from x; not wrapped."""
    speed: Float[Array, "*b"]
    """m/s along the heading of the rear axle."""
    steering: Float[Array, "*b"]
    """Angle of the front wheels, radians; positive to the left."""
    acceleration: Float[Array, "*b"]
    """m/s^2 over the step that led here."""
    yaw_rate: Float[Array, "*b"]
    """rad/s over the step that led here."""


def drive(
    motion: Motion,
    command: tuple[Float[Array, "*b"], Float[Array, "*b"]],
    *,
    length: Float[Array, "*b"],
    limits: VehicleLimits,
) -> Motion:
    """The motion one step later under a longitudinal acceleration (m/s^2) and a steering-angle rate (rad/s).

    Kinematic bicycle with its reference point midway between the axles, integrated with the mid-point rule; its
    error falls with the third power of the step. Source: Kong 2015, Eq. 1-4.
    """
    acceleration, steering_rate = command
    acceleration = jnp.clip(acceleration, limits.min_acceleration, limits.max_acceleration)
    rate = jnp.clip(steering_rate, -limits.max_steering_rate, limits.max_steering_rate)
    # A car that is faster than the limit, as some recordings are, is slowed by its brakes and not by the clip.
    top = jnp.maximum(limits.max_speed, motion.speed)
    speed = jnp.clip(motion.speed + STEP_S * acceleration, 0.0, top)
    steering = jnp.clip(motion.steering + STEP_S * rate, -limits.max_steering, limits.max_steering)
    middle_speed = 0.5 * (motion.speed + speed)
    slip_tangent = 0.5 * jnp.tan(0.5 * (motion.steering + steering))
    slip_cosine = jax.lax.rsqrt(1.0 + slip_tangent**2)
    yaw_rate = middle_speed * slip_cosine * 2.0 * slip_tangent / (WHEELBASE_SHARE * length)
    middle_heading = motion.heading + 0.5 * STEP_S * yaw_rate
    forward, left = STEP_S * middle_speed * slip_cosine, STEP_S * middle_speed * slip_cosine * slip_tangent
    cosine, sine = jnp.cos(middle_heading), jnp.sin(middle_heading)
    return Motion(
        x=motion.x + forward * cosine - left * sine,
        y=motion.y + forward * sine + left * cosine,
        heading=motion.heading + STEP_S * yaw_rate,
        speed=speed,
        steering=steering,
        acceleration=(speed - motion.speed) / STEP_S,
        yaw_rate=yaw_rate,
    )


def steering_for(
    yaw_rate: Float[Array, "*b"], speed: Float[Array, "*b"], *, length: Float[Array, "*b"], limits: VehicleLimits
) -> Float[Array, "*b"]:
    """The steering angle that turns the car so at this speed, radians within the limits; 0 below 0.5 m/s.

    Inverse of the bicycle: sin(slip) = yaw rate * wheelbase / (2 speed), tan(steering) = 2 tan(slip).
    """
    sine = yaw_rate * 0.5 * WHEELBASE_SHARE * length / jnp.maximum(jnp.abs(speed), 0.5)
    sine = jnp.clip(sine, -0.9, 0.9)  # Beyond lie steering angles that the limits cut off anyway.
    angle = jnp.arctan(2.0 * sine * jax.lax.rsqrt(1.0 - sine**2)) * jnp.where(speed < 0.0, -1.0, 1.0)
    return jnp.where(jnp.abs(speed) < 0.5, 0.0, jnp.clip(angle, -limits.max_steering, limits.max_steering))
