"""Loops: made, listed, paused, gone on with, cancelled; what their rounds showed.

A change is written to the catalog; a running service looks at the loop at once, an idle one leaves that to the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from al_platform.catalog import loops as loop_catalog
from al_platform.catalog.access import record_change
from al_platform.catalog.connection import Transaction
from al_platform.catalog.rounds import round_named
from al_platform.catalog.runs import find_run, keep_idempotency_key
from al_platform.domain.access import Actor
from al_platform.domain.clock import utc_now
from al_platform.domain.hashing import hash_record
from al_platform.domain.loops import LOOP_ENDED, LoopRound, LoopRun, LoopSpec, LoopState, gain_over_control
from al_platform.domain.paging import Page, PageRequest
from al_platform.domain.rounds import RoundState
from al_platform.domain.runs import RunState
from al_platform.errors import Conflict, InvalidInput
from al_platform.loop.loops import loop_id_of
from al_platform.loop.schedule import require_cron
from al_platform.platform.home import Platform
from al_platform.platform.idempotency import known_target
from al_platform.platform.rounds import prepare_round
from al_platform.platform.service import Service
from al_platform.platform.submissions import cancel, resume

_WORDS = {LoopState.ACTIVE: "resumed", LoopState.PAUSED: "paused", LoopState.CANCELLED: "cancelled"}
"""What somebody did to a loop whose state is now this."""


@dataclass(frozen=True)
class LoopRequest:
    """A loop as it is asked for: its rules, and filters of pool and test set ("" for none).

    `wanted.first` names no pool, no test set and, where a start set is to be bought, no dataset version.
    """

    wanted: LoopSpec
    test: str = ""
    start: int = 40

    def __post_init__(self) -> None:
        """Refuse a rule that never hears what it waits for."""
        if self.wanted.stopping.plateau and not self.test:
            raise InvalidInput("plateau: is one of the frozen-test metric; give a test set")


@dataclass(frozen=True)
class LoopStatus:
    """A loop: what was asked for, what is done about it, what its rounds showed, oldest first."""

    run: LoopRun
    spec: LoopSpec
    rounds: Sequence[LoopRound] = field(default=())

    @property
    def gain(self) -> float | None:
        """Positive cells of a picked frame to those of a control frame, over all rounds; None without any."""
        return gain_over_control([each for each in self.rounds if each.appended])


def create_loop(service: Service, request: LoopRequest, *, actor: Actor, key: str) -> tuple[LoopStatus, bool]:
    """Freeze what the first round begins with and enter the loop; says too whether the key brought back an old one.

    Raises: InvalidInput, NotFound as `prepare_round` says, InvalidInput for a schedule that does not parse;
        IdempotencyMismatch; Conflict for a loop of the same beginning and name with other rules.
    """
    wanted, platform, request_hash = request.wanted, service.platform, hash_record(request)
    if wanted.trigger.cron:
        require_cron(wanted.trigger.cron)
    with service.writing:
        with platform.catalog.transaction() as tx:
            known = known_target(tx, actor, key, request_hash=request_hash)
        if known is not None:
            return show_loop(platform, known), True
        first = prepare_round(platform, wanted.first, pool=wanted.pool, test=request.test, start=request.start)
        spec = replace(wanted, first=first)
        loop_id, now = loop_id_of(spec), utc_now()
        with platform.catalog.transaction() as tx:
            _enter(tx, loop_id, spec, actor=actor, now=now)
            keep_idempotency_key(tx, actor=actor.name, key=key, request_hash=request_hash, target=loop_id, now=now)
    service.runner.follow(loop_id)
    return show_loop(platform, loop_id), False


def list_loops(platform: Platform, state: LoopState | None, page: PageRequest) -> Page[LoopStatus]:
    """Give loops, newest first, those in one state or all."""
    with platform.catalog.transaction() as tx:
        runs = loop_catalog.loop_runs_page(tx, state.value if state else "", page)
        return Page(tuple(_status(tx, run) for run in runs.items), runs.after)


def show_loop(platform: Platform, loop_id: str) -> LoopStatus:
    """Give a loop and its rounds.

    Raises: NotFound for an unknown id, or a loop that was run without a service.
    """
    with platform.catalog.transaction() as tx:
        return _status(tx, loop_catalog.loop_run_named(tx, loop_id))


def pause_loop(service: Service, loop_id: str, *, actor: Actor) -> LoopStatus:
    """Let no further round begin; the one that is on its way goes on. Again changes nothing.

    Raises: NotFound; Conflict for a loop that has ended.
    """
    return _change(service, loop_id, LoopState.PAUSED, actor=actor)


def resume_loop(service: Service, loop_id: str, *, actor: Actor) -> LoopStatus:
    """Go on with a paused loop; a round of it that failed is handed over again. Again changes nothing.

    Raises: NotFound; Conflict for a loop that has ended.
    """
    status = _change(service, loop_id, LoopState.ACTIVE, actor=actor)
    round_id = _open_round(status)
    if round_id:
        with service.platform.catalog.transaction() as tx:
            run, round_ = find_run(tx, round_id), round_named(tx, round_id)
        if run is not None and run.state is RunState.FAILED and round_.state is not RoundState.FAILED:
            resume(service, round_id, actor=actor)
    return show_loop(service.platform, loop_id)


def cancel_loop(service: Service, loop_id: str, *, actor: Actor) -> LoopStatus:
    """End a loop for good and cancel the round that is on its way; what was appended stays. Again changes nothing.

    Raises: NotFound; Conflict for a loop that has finished.
    """
    status = _change(service, loop_id, LoopState.CANCELLED, actor=actor)
    round_id = _open_round(status)
    if round_id:
        with service.platform.catalog.transaction() as tx:
            on_its_way = round_named(tx, round_id).state not in (
                RoundState.APPENDED,
                RoundState.CANCELLED,
                RoundState.FAILED,
            )
        if on_its_way:
            cancel(service, round_id, actor=actor)
    return show_loop(service.platform, loop_id)


def _change(service: Service, loop_id: str, state: LoopState, *, actor: Actor) -> LoopStatus:
    with service.writing, service.platform.catalog.transaction() as tx:
        run = loop_catalog.loop_run_named(tx, loop_id)
        if run.state is not state:
            if run.state in LOOP_ENDED:
                raise Conflict(f"loop {loop_id}: is {run.state} ({run.message}); make another with another name")
            # the tick that it waited for may be long gone: the next one is found anew
            loop_catalog.save_loop_run(tx, replace(run, state=state, message=_WORDS[state], next_at=None))
            record_change(tx, actor, f"loop.{_WORDS[state]}", loop_id, now=utc_now())
    service.runner.follow(loop_id)
    return show_loop(service.platform, loop_id)


def _enter(tx: Transaction, loop_id: str, spec: LoopSpec, *, actor: Actor, now: str) -> None:
    known = loop_catalog.find_loop_run(tx, loop_id)
    loop_catalog.add_loop(tx, loop_id, spec, now=now)
    if loop_catalog.loop_named(tx, loop_id) != spec:
        raise Conflict(f"loop {loop_id}: is there with other rules; give this one another name than {spec.name!r}")
    if known is None:
        loop_catalog.save_loop_run(tx, LoopRun(loop_id, LoopState.ACTIVE, actor.name, now))
        record_change(tx, actor, "loop.created", loop_id, now=now, detail={"pool": spec.pool, "name": spec.name})


def _open_round(status: LoopStatus) -> str:
    """The round that is on its way; empty for none."""
    last = status.rounds[-1] if status.rounds else None
    return last.round_id if last is not None and last.ended_at is None else ""


def _status(tx: Transaction, run: LoopRun) -> LoopStatus:
    rounds = loop_catalog.rounds_of_loop(tx, run.loop_id)
    return LoopStatus(run, loop_catalog.loop_named(tx, run.loop_id), tuple(rounds))
