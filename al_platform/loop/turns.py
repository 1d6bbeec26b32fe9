"""Durable work as its own side sees it: a turn at a time, from a key and the state that the turn before gave."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """What a turn came to: where the work stands now, how long it rests (None: not at all), whether it has ended."""

    state: str
    rests_s: float | None = None
    ended: bool = False


@dataclass(frozen=True)
class Work:
    """A kind of work. `take` makes a turn from the key and the state; `failed` says what becomes of one that raised.

    Work begins in the state "". Turns of one kind are taken one at a time, in the order in which they came up.
    """

    take: Callable[[str, str], Turn]
    failed: Callable[[str, str, BaseException], Turn]
