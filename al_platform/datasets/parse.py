"""Numbers of manifests and exports, finite or refused."""

import math

LARGEST_WHOLE = 2**63 - 1
"""What a 64-bit column holds."""


def finite(value: object) -> float:
    """Give a number, or the number a text spells.

    Raises: ValueError where it is none, or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is no number")
    if isinstance(value, str) and "_" in value:
        raise ValueError(f"{value!r} is no number")
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueError(f"{value!r} is too large") from error
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not finite")
    return number


def latitude(value: object) -> float:
    """Give degrees in [-90, 90].

    Raises: ValueError for anything else.
    """
    return _within(finite(value), 90.0)


def longitude(value: object) -> float:
    """Give degrees in [-180, 180].

    Raises: ValueError for anything else.
    """
    return _within(finite(value), 180.0)


def _within(degrees: float, limit: float) -> float:
    if abs(degrees) > limit:
        raise ValueError(f"{degrees} is beyond {limit:g} degrees")
    return degrees


def whole(value: object) -> int:
    """Give a whole number of at most 64 bits, also where it is written as 12.0.

    Raises: ValueError where it is none.
    """
    exact = isinstance(value, str) and value.strip().isdecimal()
    number = int(str(value)) if exact or type(value) is int else finite(value)
    if number != int(number) or abs(number) > LARGEST_WHOLE:
        raise ValueError(f"{value!r} is no whole number of 64 bits")
    return int(number)
