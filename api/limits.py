"""How much a caller may ask for: a bucket of tokens each, filled at a steady rate."""

import threading
from collections import OrderedDict
from collections.abc import Callable

Clock = Callable[[], float]
"""Seconds that only ever grow."""


class TokenBuckets:
    """One bucket per caller. A caller that stays away long enough has a full one, and is forgotten."""

    def __init__(self, *, per_second: float, burst: int, clock: Clock, callers: int = 10_000) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._clock = clock
        self._callers = callers
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> float:
        """Take a token; gives 0, or the seconds until there is one again, and takes nothing then."""
        with self._lock:
            wait, left, now = self._look(caller)
            self._keep(caller, left if wait else left - 1.0, now)
            return wait

    def wait_for(self, caller: str) -> float:
        """Give the seconds until there is a token, 0 where there is one; takes nothing."""
        with self._lock:
            return self._look(caller)[0]

    def _look(self, caller: str) -> tuple[float, float, float]:
        now = self._clock()
        left, at = self._buckets.get(caller, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_second)
        # a token that lacks no more than rounding is there
        return (0.0 if left >= 1.0 - 1e-9 else (1.0 - left) / self._per_second), left, now

    def _keep(self, caller: str, left: float, now: float) -> None:
        self._buckets[caller] = (left, now)
        self._buckets.move_to_end(caller)
        while len(self._buckets) > self._callers:
            self._buckets.popitem(last=False)
