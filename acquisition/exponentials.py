"""exp(x) - 1, log(1 + x) and log(x) with every digit near 0 and 1, as loops that XLA vectorises on any machine.

XLA's own log and log1p test for special values in each cell, which on CPU costs more than all the rest of a
score. All split off a power of two and leave a polynomial, the Chebyshev interpolant of

    (exp(f) - 1 - f) / f^2 for |f| <= log(2) / 2    and    (log(1 + y) - y) / y^2 for 1 + y in [sqrt(1/2), sqrt(2)].
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32
from numpy.polynomial import Chebyshev, Polynomial
from numpy.typing import NDArray

# Each interpolant is then off by less than half of what float32 rounds away.
_EXPM1_DEGREE = 4
_LOG1P_DEGREE = 8
_MANTISSA_BITS = 23
_EXPONENT_BIAS = 127
_SQRT_HALF_BITS = int(np.float32(math.sqrt(0.5)).view(np.int32))
_TINY = float(np.finfo(np.float32).tiny)
_LOG_2_HIGH = 0.693359375  # Has so few digits that its product with an exponent is exact.
_LOG_2_LOW = math.log(2.0) - _LOG_2_HIGH


def exp_and_expm1(x: Float32[Array, "*s"]) -> tuple[Float32[Array, "*s"], Float32[Array, "*s"]]:
    """Give exp(x) and exp(x) - 1 for x in [-70, 87], each with relative error below 3e-7. NaN stays NaN."""
    exponent = jax.lax.round(x * (1.0 / math.log(2.0)), jax.lax.RoundingMethod.TO_NEAREST_EVEN)
    rest = (x - exponent * _LOG_2_HIGH) - exponent * _LOG_2_LOW
    scale = _power_of_two(exponent.astype(jnp.int32))
    growth = scale * (rest + rest * rest * _polynomial(rest, _EXPM1))
    return growth + scale, growth + (scale - 1.0)


def log1p(x: Float32[Array, "*s"]) -> Float32[Array, "*s"]:
    """Give log(1 + x) for x in [-1, 2^126), relative error below 3e-7; at x = -1 it is -87.3, and finite."""
    return log_of_both(1.0 + x, x)


def log_of_both(ratio: Float32[Array, "*s"], excess: Float32[Array, "*s"]) -> Float32[Array, "*s"]:
    """Give log(ratio) from ratio and ratio - 1, each of which is exact where the other has lost its digits."""
    exponent, mantissa = _split(ratio)
    y = jnp.where(exponent == 0, excess, mantissa - 1.0)
    return exponent * math.log(2.0) + (y + y * y * _polynomial(y, _LOG1P))


def log(x: Float32[Array, "*s"]) -> Float32[Array, "*s"]:
    """Give log(x) for x in [2^-126, 2^126), relative error below 3e-7; below that -87.3, so that 0 log(0) is 0."""
    exponent, mantissa = _split(x)
    y = mantissa - 1.0
    return exponent * math.log(2.0) + (y + y * y * _polynomial(y, _LOG1P))


def _second_order(function: Callable[[float], float], series: tuple[float, ...], x: float) -> float:
    """(function(x) - x) / x^2, by the first terms of its series where that would cancel."""
    return sum(c * x**i for i, c in enumerate(series)) if abs(x) < 1e-3 else (function(x) - x) / x**2


def _interpolant(values: Callable[[float], float], degree: int, low: float, high: float) -> tuple[float, ...]:
    """Coefficients of the polynomial through `values` at the Chebyshev nodes, constant term first."""

    def at_nodes(nodes: NDArray[np.float64]) -> Any:
        return np.array([values(float(node)) for node in nodes])

    interpolant = Chebyshev.interpolate(at_nodes, degree, [low, high])
    return tuple(float(c) for c in interpolant.convert(kind=Polynomial).coef)


_EXPM1 = _interpolant(
    lambda f: _second_order(math.expm1, (1 / 2, 1 / 6, 1 / 24, 1 / 120), f),
    _EXPM1_DEGREE,
    -math.log(2.0) / 2.0,
    math.log(2.0) / 2.0,
)
_LOG1P = _interpolant(
    lambda y: _second_order(math.log1p, (-1 / 2, 1 / 3, -1 / 4, 1 / 5), y),
    _LOG1P_DEGREE,
    math.sqrt(0.5) - 1.0,
    math.sqrt(2.0) - 1.0,
)


def _polynomial(x: Array, coefficients: tuple[float, ...]) -> Array:
    value = jnp.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + coefficient
    return value


def _split(x: Array) -> tuple[Array, Array]:
    """Exponent e and mantissa in [sqrt(1/2), sqrt(2)) with x = 2^e mantissa; what is below 2^-126 counts as that."""
    normal = jnp.maximum(x, _TINY)
    exponent = (jax.lax.bitcast_convert_type(normal, jnp.int32) - _SQRT_HALF_BITS) >> _MANTISSA_BITS
    return exponent, normal * _power_of_two(-exponent)


def _power_of_two(exponent: Array) -> Array:
    """2^exponent for whole exponents in [-126, 127]."""
    return jax.lax.bitcast_convert_type((exponent + _EXPONENT_BIAS) << _MANTISSA_BITS, jnp.float32)
