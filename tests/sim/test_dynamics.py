import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.dynamics import WHEELBASE_SHARE, Motion, VehicleLimits, drive, steering_for

LIMITS = VehicleLimits()
LENGTH = 4.8


def motion(speed: float, steering: float, heading: float = 0.3) -> Motion:
    return Motion(*(jnp.float32(value) for value in (1.0, -2.0, heading, speed, steering, 0.0, 0.0)))


def integrated(start: Motion, acceleration: float, rate: float, steps: int = 20_000) -> np.ndarray:
    """x, y, heading after 0.2 s by tiny steps in float64."""
    x, y, heading, speed, steering = (
        float(getattr(start, name)) for name in ("x", "y", "heading", "speed", "steering")
    )
    dt = 0.2 / steps
    for _ in range(steps):
        slip = np.arctan(0.5 * np.tan(steering))
        x += dt * speed * np.cos(heading + slip)
        y += dt * speed * np.sin(heading + slip)
        heading += dt * speed * np.cos(slip) * np.tan(steering) / (WHEELBASE_SHARE * LENGTH)
        speed, steering = speed + dt * acceleration, steering + dt * rate
    return np.array([x, y, heading])


@pytest.mark.parametrize(
    ("speed", "steering", "acceleration", "rate"),
    [(12.0, 0.1, -3.0, 0.3), (5.0, 0.4, 2.0, -0.8), (25.0, 0.0, 1.0, 0.2), (3.0, -0.6, 0.0, 0.0)],
)
def test_a_step_follows_the_differential_equation(
    speed: float, steering: float, acceleration: float, rate: float
) -> None:
    start = motion(speed, steering)
    moved = drive(start, (jnp.float32(acceleration), jnp.float32(rate)), length=jnp.float32(LENGTH), limits=LIMITS)
    truth = integrated(start, acceleration, rate)
    np.testing.assert_allclose([moved.x, moved.y], truth[:2], atol=0.02)
    np.testing.assert_allclose(moved.heading, truth[2], atol=0.005)


@settings(max_examples=30, deadline=None)
@given(
    st.floats(0, 44, width=32),
    st.floats(-0.625, 0.625, width=32),
    st.floats(-50, 50, width=32),
    st.floats(-9, 9, width=32),
)
def test_no_command_takes_the_car_beyond_its_limits(
    speed: float, steering: float, acceleration: float, rate: float
) -> None:
    start = motion(speed, steering)
    moved = drive(start, (jnp.float32(acceleration), jnp.float32(rate)), length=jnp.float32(LENGTH), limits=LIMITS)
    assert 0.0 <= moved.speed <= LIMITS.max_speed + 1e-4
    assert abs(moved.steering) <= LIMITS.max_steering + 1e-6
    assert abs(moved.steering - start.steering) <= 0.2 * LIMITS.max_steering_rate + 1e-6
    assert LIMITS.min_acceleration - 1e-3 <= moved.acceleration <= LIMITS.max_acceleration + 1e-3


def test_braking_ends_at_a_standstill() -> None:
    moved = drive(motion(0.3, 0.0), (jnp.float32(-4.0), jnp.float32(0.0)), length=jnp.float32(LENGTH), limits=LIMITS)
    assert moved.speed == 0.0
    assert moved.x > 1.0


@settings(max_examples=30, deadline=None)
@given(st.floats(0.625, 40, width=32), st.floats(-0.6875, 0.6875, width=32))
def test_the_steering_of_a_turn_is_found_again(speed: float, steering: float) -> None:
    moved = drive(motion(speed, steering), (jnp.float32(0), jnp.float32(0)), length=jnp.float32(LENGTH), limits=LIMITS)
    found = steering_for(moved.yaw_rate, jnp.float32(speed), length=jnp.float32(LENGTH), limits=LIMITS)
    np.testing.assert_allclose(found, steering, atol=1e-4)
