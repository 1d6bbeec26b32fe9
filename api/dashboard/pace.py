"""How long a stage will still take, from how fast it went on since it was first looked at."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from al_platform.domain.progress import Progress

_KEPT = 1000


@dataclass(frozen=True)
class _Start:
    stage: str
    done: int
    at_s: float


class Pace:
    """Remembers where each round was when its stage was first seen."""

    def __init__(self, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._lock = threading.Lock()
        self._starts: OrderedDict[str, _Start] = OrderedDict()

    def remaining_s(self, round_id: str, progress: Progress) -> float | None:
        """Give the seconds until the stage ends; None until it was seen to go on."""
        now_s = self._now_s()
        with self._lock:
            start = self._starts.get(round_id)
            if start is None or start.stage != progress.stage or start.done > progress.done:
                self._starts[round_id] = start = _Start(progress.stage, progress.done, now_s)
                while len(self._starts) > _KEPT:
                    self._starts.popitem(last=False)
        went_on = progress.done - start.done
        if went_on <= 0 or now_s <= start.at_s:
            return None
        return (progress.total - progress.done) * (now_s - start.at_s) / went_on
