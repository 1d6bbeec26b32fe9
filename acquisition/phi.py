"""The convex function under every relative entropy, evaluated without cancellation and without a logarithm.

phi(x) = (1 + x) log(1 + x) - x is x^2 / 2 near 0, so forming it from a logarithm loses all digits of weak
disagreement. With 1 + x = 2^e (1 + y) and 1 + y in [sqrt(1/2), sqrt(2)),

    phi(x) = 2^e y^2 P(y) + e log(2) (1 + x) + 1 - 2^e,    P(y) = phi(y) / y^2,

and in the octave around 1 (e = 0) only the first term is left: a square times a positive polynomial.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32
from numpy.polynomial import Chebyshev, Polynomial

_DEGREE = 8  # The interpolant is then off by 6e-9 of its value, a tenth of what float32 rounds away.
_MANTISSA_BITS = 23
_EXPONENT_BIAS = 127
_SQRT_HALF_BITS = int(np.float32(math.sqrt(0.5)).view(np.int32))


def phi(excess: Float32[Array, "*s"]) -> Float32[Array, "*s"]:
    """Give phi(x) in [0, inf) for x in [-1, 2^126), relative error below 1e-6: 0 at x = 0, 1 at x = -1.

    A little less than -1, as rounding leaves it, counts as -1. NaN stays NaN.
    """
    ratio = jnp.maximum(1.0 + excess, 0.0)
    exponent = (_bits(ratio) - _SQRT_HALF_BITS) >> _MANTISSA_BITS
    scale = _power_of_two(exponent)
    y = jnp.where(exponent == 0, excess, ratio * _power_of_two(-exponent) - 1.0)
    return scale * (y * y * _polynomial(y)) + (exponent * math.log(2.0) * ratio + (1.0 - scale))


def _coefficients() -> tuple[float, ...]:
    """Polynomial through phi(y) / y^2 at the Chebyshev nodes of the octave, constant term first."""
    octave = [math.sqrt(0.5) - 1.0, math.sqrt(2.0) - 1.0]
    interpolant = Chebyshev.interpolate(lambda y: ((1.0 + y) * np.log1p(y) - y) / y**2, _DEGREE, octave)
    return tuple(float(c) for c in interpolant.convert(kind=Polynomial).coef)


_COEFFICIENTS = _coefficients()


def _polynomial(y: Float32[Array, "*s"]) -> Float32[Array, "*s"]:
    value = jnp.full_like(y, _COEFFICIENTS[-1])
    for coefficient in reversed(_COEFFICIENTS[:-1]):
        value = value * y + coefficient
    return value


def _bits(value: Array) -> Array:
    return jax.lax.bitcast_convert_type(value, jnp.int32)


def _power_of_two(exponent: Array) -> Array:
    """2^exponent for exponents in [-127, 127]; 2^-127 is given as 0."""
    return jax.lax.bitcast_convert_type((exponent + _EXPONENT_BIAS) << _MANTISSA_BITS, jnp.float32)
