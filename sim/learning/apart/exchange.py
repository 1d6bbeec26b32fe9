"""What actors and learners that run in threads hand each other: parameters one way, batches the other."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from sim.networks import Parameters

Batch = TypeVar("Batch")


class Over(Exception):
    """The exchange was closed: nothing comes any more, and nobody waits for anything."""


class Exchange(Generic[Batch]):
    """A queue of batches for each learner, and the parameters that were published last.

    All methods may be called from any thread. Those that wait raise `Over` as soon as the exchange is closed, so
    that nobody is left behind in front of a full or an empty queue.
    """

    def __init__(self, *, learners: int, room: int, kept: int) -> None:
        """Of `room` batches for each learner; `kept` versions stay to be had beside the newest."""
        self._changed = threading.Condition()
        self._queues: list[deque[Batch]] = [deque() for _ in range(learners)]
        self._room = room
        self._kept = kept
        self._published: dict[int, tuple[Parameters, Parameters]] = {}
        self._closed = False

    def publish(self, version: int, parameters: Parameters, *, learned: Parameters | None = None) -> None:
        """Make parameters the newest; `learned` are those to judge, where they are others."""
        with self._changed:
            self._published[version] = parameters, parameters if learned is None else learned
            for old in [known for known in self._published if known < version - self._kept]:
                del self._published[old]
            self._changed.notify_all()

    def newest(self) -> tuple[int, Parameters]:
        """The newest version and its parameters, once there is one."""
        with self._once(lambda: bool(self._published)):
            version = max(self._published)
            return version, self._published[version][0]

    def newest_learned(self, *, at_least: int = 0) -> tuple[int, Parameters]:
        """The newest version and its parameters to judge, once there is one that is new enough."""
        with self._once(lambda: max(self._published, default=-1) >= at_least):
            version = max(self._published)
            return version, self._published[version][1]

    def parameters_of(self, version: int) -> Parameters:
        """The parameters of this very version, once it is published."""
        with self._once(lambda: version in self._published):
            return self._published[version][0]

    def deliver(self, learner: int, batch: Batch) -> None:
        """Put a batch into a learner's queue, once there is room."""
        with self._once(lambda: len(self._queues[learner]) < self._room):
            self._queues[learner].append(batch)

    def collect(self) -> list[Batch]:
        """The oldest batch of each learner, once every queue has one."""
        with self._once(lambda: all(self._queues)):
            return [queue.popleft() for queue in self._queues]

    def close(self) -> None:
        """End every wait, those of now and those to come."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    @contextmanager
    def _once(self, ready: Callable[[], bool]) -> Iterator[None]:
        """Hold the lock from when something is ready, and tell the others that something may have changed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or ready())
            if self._closed:
                raise Over
            yield
            self._changed.notify_all()
