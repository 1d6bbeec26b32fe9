"""Rounds asked for from outside: estimated, submitted once however often they are sent, cancelled, gone on with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pyarrow.compute as pc

from al_platform.catalog import runs as run_catalog
from al_platform.catalog.access import record_change
from al_platform.catalog.connection import Transaction
from al_platform.catalog.datasets import version_named
from al_platform.catalog.frames import frames_matching
from al_platform.catalog.listing import round_ids_page
from al_platform.catalog.rounds import StepRun, round_named, steps_of
from al_platform.catalog.runs import past_steps
from al_platform.catalog.tasks import frames_taken
from al_platform.domain.access import Actor
from al_platform.domain.clock import utc_now
from al_platform.domain.hashing import hash_record
from al_platform.domain.paging import Page, PageRequest
from al_platform.domain.progress import Progress
from al_platform.domain.rounds import Round, RoundSpec, RoundState
from al_platform.domain.runs import RoundRun, RunState
from al_platform.errors import Conflict, InvalidInput
from al_platform.loop.checks import require_apart, require_possible
from al_platform.loop.rounds import submit_round
from al_platform.platform.idempotency import known_target
from al_platform.platform.rounds import loop_context, prepare_round
from al_platform.platform.service import Service, conclude_run


@dataclass(frozen=True)
class RoundRequest:
    """A round as it is asked for: what is wanted, and filters of its pool and of its test set ("" for none).

    `wanted` names no pool and no test set yet; a start set of `start` frames is bought where it names no version.
    """

    wanted: RoundSpec
    pool: str
    test: str = ""
    start: int = 40


@dataclass(frozen=True)
class RoundStatus:
    """A round, what the service does about it (None where it was never asked to), and how far it is right now."""

    round: Round
    run: RoundRun | None
    progress: Progress | None = None
    changes: int = 0


@dataclass(frozen=True)
class Estimate:
    """What a round would take. Seconds are those of past steps on this home, None where there were none."""

    pool_frames: int
    pool_sessions: int
    available_frames: int
    """Frames of the pool that the queue did not take before."""
    test_frames: int
    labels: int
    """Frames that people would be asked for, start and test sets included."""
    seconds: Mapping[str, float | None]
    based_on: Mapping[str, int]
    """Step to how many past runs of it the estimate rests on."""


def estimate_round(service: Service, request: RoundRequest) -> Estimate:
    """Say what a round would take; nothing is kept, nothing is bought.

    Raises: InvalidInput, NotFound as `submit` would, as far as that can be known without buying labels.
    """
    wanted = request.wanted
    require_possible(loop_context(service.platform), wanted)
    with service.platform.catalog.transaction() as tx:
        pool = frames_matching(tx, request.pool)
        test = frames_matching(tx, request.test) if request.test else pool.slice(0, 0)
        if wanted.dataset_version_id:
            version_named(tx, wanted.dataset_version_id)
        taken = frames_taken(tx, wanted.queue)
        seconds, based_on = _seconds(tx, pool.num_rows)
    if not pool.num_rows:
        raise InvalidInput(f"pool {request.pool!r}: no frame matches")
    require_apart(pool["session_id"], test["session_id"])
    available = pool.num_rows - pc.sum(pc.is_in(pool["frame_id"], value_set=taken)).as_py()
    start = 0 if wanted.dataset_version_id else min(request.start, pool.num_rows)
    return Estimate(
        pool_frames=pool.num_rows,
        pool_sessions=pc.count_distinct(pool["session_id"]).as_py(),
        available_frames=available,
        test_frames=test.num_rows,
        labels=min(wanted.budget.frames, available) + start + test.num_rows,
        seconds=seconds,
        based_on=based_on,
    )


def submit(service: Service, request: RoundRequest, *, actor: Actor, key: str) -> tuple[RoundStatus, bool]:
    """Enter a round and hand it to the runner; says too whether the key brought back what it brought before.

    Raises: InvalidInput, NotFound as `prepare_round` and `submit_round` say; IdempotencyMismatch where the key came
        before with another request; Conflict for a round that was cancelled or failed for good.
    """
    request_hash = hash_record(request)
    platform = service.platform
    with service.writing:
        with platform.catalog.transaction() as tx:
            known = known_target(tx, actor, key, request_hash=request_hash)
        if known is not None:
            return round_status(service, known), True
        spec = prepare_round(platform, request.wanted, pool=request.pool, test=request.test, start=request.start)
        round_ = submit_round(loop_context(platform), spec)
        _require_runnable(round_)
        with platform.catalog.transaction() as tx:
            now = utc_now()
            _enqueue(tx, round_, actor=actor, now=now)
            run_catalog.keep_idempotency_key(
                tx, actor=actor.name, key=key, request_hash=request_hash, target=round_.round_id, now=now
            )
            record_change(tx, actor, "round.submitted", round_.round_id, now=now, detail={"pool": request.pool})
    return _hand_over(service, round_.round_id), False


def resume(service: Service, round_id: str, *, actor: Actor) -> RoundStatus:
    """Hand a round over again that waits for labels or failed on the way.

    Raises: NotFound; Conflict for a round that was cancelled or failed for good.
    """
    with service.writing, service.platform.catalog.transaction() as tx:
        round_ = round_named(tx, round_id)
        _require_runnable(round_)
        now = utc_now()
        _enqueue(tx, round_, actor=actor, now=now)
        record_change(tx, actor, "round.resumed", round_id, now=now)
    return _hand_over(service, round_id)


def cancel(service: Service, round_id: str, *, actor: Actor) -> RoundStatus:
    """Cancel a round: at once where it does not run, else at its next report. Again changes nothing.

    Raises: NotFound; Conflict for a round that has ended otherwise.
    """
    with service.writing:
        with service.platform.catalog.transaction() as tx:
            round_ = round_named(tx, round_id)
            if round_.state is not RoundState.CANCELLED:
                if round_.state in (RoundState.APPENDED, RoundState.FAILED):
                    raise Conflict(f"round {round_id}: is {round_.state} already; nothing is left to cancel")
                now = utc_now()
                run = run_catalog.find_run(tx, round_id) or RoundRun(round_id, RunState.QUEUED, actor.name, now)
                run_catalog.save_run(tx, replace(run, stop_requested=True))
                record_change(tx, actor, "round.cancel", round_id, now=now)
        if round_.state is not RoundState.CANCELLED and not service.runner.stop(round_id):
            conclude_run(service.platform, round_id, RunState.CANCELLED, writing=service.writing)
            service.runner.changed(round_id)
    return round_status(service, round_id)


def round_status(service: Service, round_id: str) -> RoundStatus:
    """Give how far a round is.

    Raises: NotFound for an unknown id.
    """
    with service.platform.catalog.transaction() as tx:
        return _status(service, round_named(tx, round_id), run_catalog.find_run(tx, round_id))


def round_steps(service: Service, round_id: str) -> list[StepRun]:
    """Give the finished steps of a round, in order.

    Raises: NotFound for an unknown id.
    """
    with service.platform.catalog.transaction() as tx:
        round_named(tx, round_id)
        return steps_of(tx, round_id)


def rounds_page(service: Service, state: RoundState | None, page: PageRequest) -> Page[RoundStatus]:
    """Give rounds, newest first, those in one state or all."""
    with service.platform.catalog.transaction() as tx:
        ids = round_ids_page(tx, state.value if state else "", page)
        runs = run_catalog.runs_of(tx, ids.items)
        rounds = [round_named(tx, round_id) for round_id in ids.items]
    return Page(tuple(_status(service, round_, runs.get(round_.round_id)) for round_ in rounds), ids.after)


def count_runs(service: Service) -> dict[RunState, int]:
    """Give how many rounds the service holds in each state."""
    with service.platform.catalog.transaction() as tx:
        return run_catalog.count_runs(tx)


def _status(service: Service, round_: Round, run: RoundRun | None) -> RoundStatus:
    live = service.runner.status(round_.round_id)
    if live is None:
        return RoundStatus(round_, run)
    return RoundStatus(round_, run, live.progress, live.changes)


def _require_runnable(round_: Round) -> None:
    if round_.state in (RoundState.CANCELLED, RoundState.FAILED):
        reason = f" ({round_.message})" if round_.message else ""
        raise Conflict(f"round {round_.round_id}: is {round_.state}{reason}; submit it with another seed or model")


def _enqueue(tx: Transaction, round_: Round, *, actor: Actor, now: str) -> None:
    known = run_catalog.find_run(tx, round_.round_id)
    run = known or RoundRun(round_.round_id, RunState.QUEUED, actor.name, now)
    state = RunState.FINISHED if round_.state is RoundState.APPENDED else RunState.QUEUED
    if known is None or known.state is not RunState.RUNNING:
        run_catalog.save_run(tx, replace(run, state=state, message=""))


def _hand_over(service: Service, round_id: str) -> RoundStatus:
    status = round_status(service, round_id)
    if status.round.state is not RoundState.APPENDED:
        service.runner.submit(round_id)
    return round_status(service, round_id)


def _seconds(tx: Transaction, pool_frames: int) -> tuple[dict[str, float | None], dict[str, int]]:
    """Median of past trainings; scoring by the frame."""
    trained = [seconds for seconds, _ in past_steps(tx, "train")]
    scored = [
        seconds / outputs["scored_frames"]
        for seconds, outputs in past_steps(tx, "score")
        if outputs.get("scored_frames", 0)
    ]
    seconds = {"train": _median(trained), "score": None if not scored else pool_frames * (_median(scored) or 0.0)}
    return seconds, {"train": len(trained), "score": len(scored)}


def _median(values: list[float]) -> float | None:
    return sorted(values)[len(values) // 2] if values else None
