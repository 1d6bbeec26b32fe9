"""Pieces of work on several processes, of which any may die: only what it was at is lost."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

from al_platform.datasets.scenarios.prepared import Taken, Work, take_in
from al_platform.domain.scenarios import RefusedPart, ScenarioSource

_AHEAD = 2
"""Pieces of work that wait for each process."""


def taken(works: Sequence[Work], *, processes: int) -> Iterator[Taken]:
    """What came of each piece of work, in the order of their ends."""
    if processes == 1 or len(works) <= 1:
        yield from map(take_in, works)
        return
    waiting = list(reversed(works))
    while waiting:
        under_way: dict[Future[Taken], Work] = {}
        with _pool(processes) as pool:
            try:
                while waiting or under_way:
                    while waiting and len(under_way) < processes * _AHEAD:
                        under_way[pool.submit(take_in, waiting[-1])] = waiting[-1]
                        waiting.pop()
                    for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                        yield future.result()
                        del under_way[future]
            except BrokenProcessPool:
                pass  # what was under way is done below, a file at a time
        yield from _one_by_one(list(under_way.values()))


def _one_by_one(works: Sequence[Work]) -> Iterator[Taken]:
    """Take in each source alone: where the process dies, it is this source that kills it."""
    alone = [Work(work.format, (source,), work.sizes, work.folder) for work in works for source in work.sources]
    place = 0
    while place < len(alone):
        with _pool(1) as pool:
            try:
                while place < len(alone):
                    yield pool.submit(take_in, alone[place]).result()
                    place += 1
            except BrokenProcessPool:
                yield _died(alone[place])
                place += 1


def _died(work: Work) -> Taken:
    ((source_id, origin),) = work.sources
    part = RefusedPart(origin, "its reader died", "maybe for want of memory; ingest again with --again")
    return Taken([ScenarioSource(source_id, work.format, origin, refused=(part,))], [])


def _pool(processes: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")  # the catalog has threads, which no fork survives
    return ProcessPoolExecutor(processes, mp_context=context)
