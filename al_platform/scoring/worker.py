"""A scorer: takes shard after shard, its own share first, then what the others have not finished."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Protocol

from al_platform.domain.driving import PolicyModel
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.domain.scores import ScoringJob, Share
from al_platform.errors import InvalidInput
from al_platform.scoring.frames import open_frame_scorer
from al_platform.scoring.job import formula_of
from al_platform.scoring.markers import finished_marker, finished_markers
from al_platform.scoring.place import ScoringPlace
from al_platform.scoring.scenarios import open_scenario_scorer
from al_platform.scoring.shards import ScoredShard, write_shard
from al_platform.scoring.stages import StageClock
from al_platform.storage.files import NamedFiles

STAGE = "score"


class ShardScorer(Protocol):
    """Scores the items of one kind."""

    @property
    def clock(self) -> StageClock:
        """What is busy, and for how long."""
        ...

    def score(self, shard: int, scored: Callable[[int], None]) -> ScoredShard:
        """Score a shard; `scored` hears of every batch how many rows it had.

        Raises: NonFiniteScore naming the first item and class whose score is NaN or infinite.
        """
        ...


def run_scorer(place: ScoringPlace, job: ScoringJob, *, share: Share, report: ReportProgress) -> None:
    """Score every shard of a job that is not finished yet.

    Raises: NonFiniteScore naming the first item and class whose score is NaN or infinite; CorruptScores for
        files that are not what they should be; InvalidInput for a job of another formula; StorageUnavailable.
    """
    formula = formula_of(job.model)
    if job.formula != formula:
        raise InvalidInput(
            f"scores {job.score_id}: of formula {job.formula}, this version computes {formula}; finish it with the "
            "version that began it"
        )
    finished = finished_markers(place.files, job)
    done = sum(marker.rows for marker in finished.values())
    report(Progress(STAGE, done, job.frames))
    if len(finished) == job.shards:
        return
    with _opened(place, job) as scorer, ThreadPoolExecutor(1) as writer:
        speed, writing = _Speed(job, done, scorer.clock, report), list[Future[None]]()
        for shard in claim_order(job.shards, share):
            if shard in finished:
                continue
            if finished_marker(place.files, job, shard) is not None:
                speed.found(job.rows_of(shard)[1])
                continue
            before = scorer.clock.seconds()
            scored = scorer.score(shard, speed.scored)
            spent = scorer.clock.seconds_since(before)
            while writing:  # one shard is written while the next is scored, and no more
                writing.pop().result()
            writing.append(writer.submit(_write, place.files, job, scorer.clock, scored, spent))
        while writing:
            writing.pop().result()


def _opened(place: ScoringPlace, job: ScoringJob) -> AbstractContextManager[ShardScorer]:
    if isinstance(job.model, PolicyModel):
        return open_scenario_scorer(place, job, job.model)
    return open_frame_scorer(place, job, job.model)


def claim_order(shards: int, share: Share) -> list[int]:
    """Give every shard in the order in which one of several scorers takes them.

    Its own first; then those of the next scorer, and so on round, each from its end, which its owner reaches last.
    """
    order = list(range(share.number - 1, shards, share.of))
    for step in range(1, share.of):
        order += reversed(range((share.number - 1 + step) % share.of, shards, share.of))
    return order


class _Speed:
    """Says how far the job is, how fast this scorer goes, and which stage holds it up."""

    def __init__(self, job: ScoringJob, done: int, clock: StageClock, report: ReportProgress) -> None:
        self._total, self._done, self._clock, self._report = job.frames, done, clock, report
        self._what = "scenarios" if isinstance(job.model, PolicyModel) else "frames"
        self._scored, self._started = 0, time.perf_counter()

    def found(self, rows: int) -> None:
        """Count rows that another scorer finished."""
        self._done += rows

    def scored(self, rows: int) -> None:
        """Count rows that were scored here, and report."""
        self._done += rows
        self._scored += rows
        rate = self._scored / (time.perf_counter() - self._started)
        note = f"{rate:,.0f} {self._what}/s, limit {self._clock.limit()}"
        done = min(self._done, self._total)
        self._report(Progress(STAGE, done, self._total, note, (self._total - done) / rate))


def _write(
    files: NamedFiles, job: ScoringJob, clock: StageClock, scored: ScoredShard, stage_seconds: dict[str, float]
) -> None:
    with clock.busy("write"):
        write_shard(files, job, scored, stage_seconds)
