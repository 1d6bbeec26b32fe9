"""Batches read ahead by threads, in the order of their steps."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import grain

Batch = TypeVar("Batch")

THREADS = 8
"""Reading waits for disks and networks more than it computes."""

_ENDLESS = 2**40
"""Steps that a source is said to have: grain asks for a length, a training ends by itself."""


class ReadAhead(Generic[Batch]):
    """The batches `read(step)` of the steps from `first_step` on, without end; up to `ahead` are read in advance.

    `read` is called from several threads at once. What it raises comes out where its batch would have. The order is
    that of the steps, so the state of a reader is the step that comes next.
    """

    def __init__(self, read: Callable[[int], Batch], *, first_step: int, ahead: int, threads: int = THREADS) -> None:
        options = grain.ReadOptions(num_threads=min(threads, ahead), prefetch_buffer_size=ahead)
        self._batches = iter(grain.MapDataset.source(_Steps(read)).to_iter_dataset(options))
        self._batches.set_state({"next_index": first_step})
        self._started = time.monotonic()
        self._waited_s = 0.0

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        asked = time.monotonic()
        batch: Batch = next(self._batches)
        self._waited_s += time.monotonic() - asked
        return batch

    @property
    def next_step(self) -> int:
        """The step of the batch that comes next; a reader that starts there goes on as this one would."""
        return int(self._batches.get_state()["next_index"])

    @property
    def waited_share(self) -> float:
        """The share of the time since this reader was made for which its user waited, in [0, 1]."""
        return self._waited_s / max(time.monotonic() - self._started, 1e-9)  # a clock may not have ticked yet

    def close(self) -> None:
        """Stop reading."""
        self._batches.close()


@dataclass(frozen=True)
class _Steps(Generic[Batch]):
    """A source as grain wants it: the batch of each step by its number."""

    read: Callable[[int], Batch]

    def __len__(self) -> int:
        return _ENDLESS

    def __getitem__(self, step: int) -> Batch:
        return self.read(step)
