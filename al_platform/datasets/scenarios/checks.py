"""Values of files from outside, of the type that is expected or refused by name."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.errors import BrokenRecording

LARGEST_AGENTS = 20_000
LARGEST_STEPS = 36_000
"""An hour at 10 Hz."""
LARGEST_POSES = 20_000_000
"""Agents times steps."""
LARGEST_POINTS = 4_000_000
"""Of a map: a hundred times what a dense city has within reach."""


def mapping_at(container: Mapping[Any, Any], key: str) -> Mapping[Any, Any]:
    """Give the mapping behind a key.

    Raises: BrokenRecording where there is none.
    """
    value = container.get(key)
    if not isinstance(value, Mapping):
        raise BrokenRecording("wrong type", f"{key}: {_named(value)}, not a mapping")
    return value


def rows_at(container: Mapping[Any, Any], key: str) -> Sequence[Any]:
    """Give the list behind a key.

    Raises: BrokenRecording where there is none.
    """
    value = container.get(key)
    if not isinstance(value, list | tuple):
        raise BrokenRecording("wrong type", f"{key}: {_named(value)}, not a list")
    return value


def mapping_of(value: Any, *, what: str) -> Mapping[Any, Any]:
    """Give a value that must be a mapping.

    Raises: BrokenRecording where it is none.
    """
    if not isinstance(value, Mapping):
        raise BrokenRecording("wrong type", f"{what}: {_named(value)}, not a mapping")
    return value


def numbers_of(value: Any, shape: tuple[int | None, ...], *, what: str) -> NDArray[np.float64]:
    """Give numbers as float64 of this shape, where None stands for any length; they need not be finite.

    Raises: BrokenRecording where they are no numbers, or of another shape.
    """
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "fiub" and array.size:
            raise TypeError(f"values of type {array.dtype}")
        numbers = array.astype(np.float64)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BrokenRecording("wrong type", f"{what}: {error}") from error
    if numbers.ndim != len(shape) or any(
        wanted is not None and found != wanted for found, wanted in zip(numbers.shape, shape, strict=True)
    ):
        raise BrokenRecording("wrong type", f"{what}: shape {numbers.shape}, not {shape}")
    return numbers


def flags_of(value: Any, count: int, *, what: str) -> NDArray[np.bool_]:
    """Give so many truth values.

    Raises: BrokenRecording where they are others, or another number.
    """
    return np.asarray(numbers_of(value, (count,), what=what) != 0.0)


def points_of(value: Any, *, what: str) -> NDArray[np.float64]:
    """Give points {x, y, z} or [x, y, z] as float64 [P, 3]; a missing z is 0.

    Raises: BrokenRecording where they are none.
    """
    if isinstance(value, list | tuple) and value and isinstance(value[0], Mapping):
        try:
            value = [(point["x"], point["y"], point.get("z", 0.0)) for point in value]
        except (KeyError, TypeError, AttributeError) as error:
            raise BrokenRecording("wrong type", f"{what}: a point without x and y") from error
    points = numbers_of(value, (None, None), what=what) if _filled(value) else np.zeros((0, 3))
    if points.shape[1] not in (2, 3):
        raise BrokenRecording("wrong type", f"{what}: points of {points.shape[1]} coordinates")
    return points if points.shape[1] == 3 else np.column_stack([points, np.zeros(len(points))])


def text_of(value: Any, *, what: str) -> str:
    """Give a name: a text, or a whole number as one.

    Raises: BrokenRecording where it is neither, or longer than a name is.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | np.integer) or len(str(value)) > 200:
        raise BrokenRecording("wrong type", f"{what}: {_named(value)}, not a name")
    return str(value)


def refuse_huge(*, agents: int, steps: int) -> None:
    """Refuse counts that no scene has.

    Raises: BrokenRecording.
    """
    if agents == 0:
        raise BrokenRecording("no agents")
    if agents > LARGEST_AGENTS or steps > LARGEST_STEPS or agents * steps > LARGEST_POSES:
        raise BrokenRecording("too large", f"{agents} agents over {steps} steps")
    if steps == 0:
        raise BrokenRecording("no steps")


def _filled(value: Any) -> bool:
    return not isinstance(value, Sequence | np.ndarray) or len(value) > 0


def _named(value: object) -> str:
    return f"{str(value)[:60]!r} ({type(value).__name__})"
