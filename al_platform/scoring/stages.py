"""Which stage of the pipeline takes how long, and so which one is the limit."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock

STAGES = ("read", "decode", "encode", "forward", "write")


class StageClock:
    """Busy seconds of each stage, summed over its threads. Waiting for another stage does not count."""

    def __init__(self, threads: Mapping[str, int]) -> None:
        self._threads = {name: threads.get(name, 1) for name in STAGES}
        self._seconds = dict.fromkeys(STAGES, 0.0)
        self._lock = Lock()

    @contextmanager
    def busy(self, stage: str) -> Iterator[None]:
        """Count the time inside for a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - started
            with self._lock:
                self._seconds[stage] += spent

    def seconds(self) -> dict[str, float]:
        """Give the busy seconds of each stage so far."""
        with self._lock:
            return dict(self._seconds)

    def seconds_since(self, before: Mapping[str, float]) -> dict[str, float]:
        """Give what came since `seconds` gave this."""
        return {stage: seconds - before[stage] for stage, seconds in self.seconds().items()}

    def limit(self) -> str:
        """Name the stage whose threads were busiest: the one to make faster, or to give more threads."""
        seconds = self.seconds()
        return max(STAGES, key=lambda name: seconds[name] / self._threads[name])
