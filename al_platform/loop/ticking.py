"""One look at a loop: close the round that is done, then begin the next, wait or end, as the rules say."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from al_platform.catalog import loops as loop_catalog
from al_platform.catalog.connection import Transaction
from al_platform.catalog.datasets import freeze_pool, newest_version_of, pool_filter, pool_size
from al_platform.catalog.rounds import plan_round, round_named
from al_platform.catalog.runs import find_run, round_at_pool, save_run
from al_platform.domain.loops import LOOP_ENDED, LoopRound, LoopRun, LoopSpec, LoopState
from al_platform.domain.rounds import SEED_LIMIT, Budget, RoundSpec, RoundState
from al_platform.domain.runs import RoundRun, RunState
from al_platform.loop.checks import require_possible, require_present
from al_platform.loop.context import LoopContext
from al_platform.loop.deciding import Begin, End, Known, Wait, decide
from al_platform.loop.kinds import kind_of
from al_platform.loop.rounds import round_id_of
from al_platform.loop.showing import shown_by

_UNTIL_WOKEN_S = 3600.0
"""Whoever pauses, resumes or ends something wakes the loop; this is for what nobody told."""


@dataclass(frozen=True)
class Tick:
    """What a look came to: for how long the loop rests, whether it has ended, and a round that is to be run now."""

    rests_s: float
    ended: bool = False
    begun: str = ""


def tick(context: LoopContext, loop_id: str, *, now: str) -> Tick:
    """Look at a loop; to look again changes nothing that did not change outside.

    Raises: NotFound; InvalidInput where the next round cannot be; whatever a store raises.
    """
    with context.catalog.transaction() as tx:
        run, spec = loop_catalog.loop_run_named(tx, loop_id), loop_catalog.loop_named(tx, loop_id)
        rounds = loop_catalog.rounds_of_loop(tx, loop_id)
    on_its_way = bool(rounds) and rounds[-1].ended_at is None
    if on_its_way:
        last = _closed(context, run, spec, rounds[-1], now=now)
        on_its_way = last.ended_at is None
        if run.state is LoopState.ACTIVE and not last.appended:
            return Tick(_UNTIL_WOKEN_S)
        rounds = [*rounds[:-1], last]
    if run.state is not LoopState.ACTIVE:
        return Tick(_UNTIL_WOKEN_S, ended=run.state in LOOP_ENDED and not on_its_way)
    return _decided(context, run, spec, rounds, now=now)


def pause_because(tx: Transaction, run: LoopRun, reason: str) -> None:
    """Pause a loop that cannot go on by itself."""
    loop_catalog.save_loop_run(tx, replace(run, state=LoopState.PAUSED, message=reason))


def _closed(context: LoopContext, run: LoopRun, spec: LoopSpec, last: LoopRound, *, now: str) -> LoopRound:
    """The last round with what it showed, or as it is while it is on its way; one that failed pauses its loop."""
    with context.catalog.transaction() as tx:
        round_, its_run = round_named(tx, last.round_id), find_run(tx, last.round_id)
    if round_.state is RoundState.APPENDED:
        wanted = spec.stopping.information is not None
        closed = shown_by(context, last, round_, with_information=wanted, ended_at=now)
        with context.catalog.transaction() as tx:
            loop_catalog.save_loop_round(tx, run.loop_id, closed)
        return closed
    ended = round_.state in (RoundState.CANCELLED, RoundState.FAILED)
    closed, reason = replace(last, ended_at=now) if ended else last, ""
    if ended:
        reason = f"round {round_.round_id} is {round_.state} ({round_.message}); resume begins another"
    elif its_run and its_run.state is RunState.FAILED:
        reason = f"round {round_.round_id} failed ({its_run.message}); resume goes on with it"
    with context.catalog.transaction() as tx:
        if ended:
            loop_catalog.save_loop_round(tx, run.loop_id, closed)
        if reason and run.state is LoopState.ACTIVE:
            pause_because(tx, run, reason)
    return closed


def _decided(context: LoopContext, run: LoopRun, spec: LoopSpec, rounds: Sequence[LoopRound], *, now: str) -> Tick:
    with context.catalog.transaction() as tx:
        known = _known(tx, run, spec, rounds, now=now)
    decision = decide(spec, known)
    if isinstance(decision, Begin):
        return _begun(context, replace(run, next_at=_text(decision.next_at), message=""), spec, rounds, now=now)
    with context.catalog.transaction() as tx:
        if isinstance(decision, End):
            finished = replace(run, state=LoopState.FINISHED, message=decision.reason, next_at=None)
            loop_catalog.save_loop_run(tx, finished)
        elif isinstance(decision, Wait):
            waits = replace(run, message=decision.reason, next_at=_text(decision.next_at))
            loop_catalog.save_loop_run(tx, waits)
    return Tick(0.0, ended=True) if isinstance(decision, End) else Tick(decision.seconds)


def _known(tx: Transaction, run: LoopRun, spec: LoopSpec, rounds: Sequence[LoopRound], *, now: str) -> Known:
    first = spec.first
    return Known(
        now=datetime.fromisoformat(now),
        rounds=rounds,
        pool_frames=kind_of(first.model).counted(tx, spec.pool)[0] if spec.pool else pool_size(tx, first.pool_id),
        next_at=datetime.fromisoformat(run.next_at) if run.next_at else None,
        busy=round_at_pool(tx, spec.pool or pool_filter(tx, first.pool_id), first.targets),
    )


def _begun(context: LoopContext, run: LoopRun, spec: LoopSpec, rounds: Sequence[LoopRound], *, now: str) -> Tick:
    """Enter the next round and what is to become of it in one transaction; to be run once that is committed."""
    with context.catalog.transaction() as tx:
        pool_id = _pool_of(tx, context, spec, now=now)
        wanted = _next_round(tx, spec, rounds, pool_id)
    require_possible(context, wanted)
    require_present(context, wanted)
    round_id = round_id_of(wanted, run.loop_id)
    with context.catalog.transaction() as tx:
        plan_round(tx, round_id, wanted, loop_id=run.loop_id, now=now)
        if find_run(tx, round_id) is None:
            save_run(tx, RoundRun(round_id, RunState.QUEUED, run.created_by, now))
        begun = LoopRound(len(rounds) + 1, round_id, begun_at=now, pool_frames=pool_size(tx, pool_id))
        loop_catalog.save_loop_round(tx, run.loop_id, begun)
        loop_catalog.save_loop_run(tx, run)
    return Tick(_UNTIL_WOKEN_S, begun=round_id)


def _pool_of(tx: Transaction, context: LoopContext, spec: LoopSpec, *, now: str) -> str:
    if not spec.pool:
        return spec.first.pool_id
    return freeze_pool(tx, context.blobs, spec.pool, now=now, matching=kind_of(spec.first.model).matching)[0]


def _next_round(tx: Transaction, spec: LoopSpec, rounds: Sequence[LoopRound], pool_id: str) -> RoundSpec:
    first, appended = spec.first, [each for each in rounds if each.appended]
    left = None if spec.stopping.labels is None else spec.stopping.labels - sum(each.labels for each in appended)
    frames = first.budget.frames if left is None else min(first.budget.frames, left)
    wanted = replace(
        first,
        pool_id=pool_id,
        budget=Budget(frames, first.budget.objects),
        # what was cancelled stays cancelled: the round after it is another one
        seed=(first.seed + len(rounds) - len(appended)) % SEED_LIMIT,
    )
    if not appended:
        return wanted
    wanted = replace(wanted, dataset_version_id=newest_version_of(tx, appended[-1].round_id))
    if spec.warm_start:
        return kind_of(wanted.model).begin_with_last(tx, wanted, round_named(tx, appended[-1].round_id))
    return wanted


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(sep=" ", timespec="microseconds")
