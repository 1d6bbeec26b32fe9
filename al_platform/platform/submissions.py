"""Rounds asked for from outside: submitted once however often they are sent, watched, cancelled, gone on with."""

from dataclasses import dataclass, replace

from al_platform.catalog import requests as request_catalog
from al_platform.catalog import runs as run_catalog
from al_platform.catalog.access import record_change
from al_platform.catalog.connection import Transaction
from al_platform.catalog.datasets import version_named
from al_platform.catalog.filters import parse_filter
from al_platform.catalog.listing import round_ids_page
from al_platform.catalog.rounds import StepRun, round_named, steps_of
from al_platform.domain.access import Actor
from al_platform.domain.clock import utc_now
from al_platform.domain.hashing import hash_record
from al_platform.domain.paging import Page, PageRequest
from al_platform.domain.progress import Progress
from al_platform.domain.rounds import Round, RoundState
from al_platform.domain.runs import KnownRequest, RoundRequest, RoundRun, RunState
from al_platform.errors import Conflict
from al_platform.loop.checks import require_possible
from al_platform.loop.kinds import kind_of
from al_platform.platform.entering import enqueue, request_id_of, require_runnable
from al_platform.platform.home import Platform
from al_platform.platform.idempotency import known_target
from al_platform.platform.rounds import loop_context
from al_platform.platform.service import Service, conclude


@dataclass(frozen=True)
class RoundStatus:
    """A round, what the service does about it (None where it was never asked to), and how far it is right now."""

    round: Round
    run: RoundRun | None
    progress: Progress | None = None
    changes: int = 0


def submit(service: Service, request: RoundRequest, *, actor: Actor, key: str) -> tuple[RoundStatus, bool]:
    """Take a request for a round; its pool is frozen afterwards, and what is wrong with it is its message then.

    Says too whether the key brought back what it brought before. Until the round has its id, it goes by the request's.

    Raises: InvalidInput for what the specification or the grammar of a filter decides, NotFound for an unknown dataset
        version; IdempotencyMismatch where the key came before with another request.
    """
    require_sensible(service.platform, request)
    request_id, request_hash = request_id_of(actor, key), hash_record(request)
    with service.writing, service.platform.catalog.transaction() as tx:
        known = known_target(tx, actor, key, request_hash=request_hash)
        if known is None:
            now = utc_now()
            request_catalog.add_request(tx, KnownRequest(request_id, request, actor.name, now))
            run_catalog.save_run(tx, RoundRun(request_id, RunState.QUEUED, actor.name, now))
            run_catalog.keep_idempotency_key(
                tx, actor=actor.name, key=key, request_hash=request_hash, target=request_id, now=now
            )
            record_change(tx, actor, "round.submitted", request_id, now=now, detail={"pool": request.pool})
    status = round_status(service, request_id)
    if status.round.round_id == request_id and status.run is not None and status.run.state is RunState.QUEUED:
        service.runner.submit(request_id)  # again where the disk was full when it came before
    return status, known is not None


def require_sensible(platform: Platform, request: RoundRequest) -> None:
    """Check what can be known of a request without reading a frame.

    Raises: InvalidInput, NotFound as `submit` says.
    """
    require_possible(loop_context(platform), request.wanted)
    with platform.catalog.transaction() as tx:
        for text in (request.pool, request.test, request.wanted.filter):
            parse_filter(tx, text, of=kind_of(request.wanted.model).filtered)
        if request.wanted.dataset_version_id:
            version_named(tx, request.wanted.dataset_version_id)


def resume(service: Service, round_id: str, *, actor: Actor) -> RoundStatus:
    """Hand a round over again that waits for labels or failed on the way.

    Raises: NotFound; Conflict for a round that was cancelled or failed for good.
    """
    with service.writing, service.platform.catalog.transaction() as tx:
        round_ = _round(tx, round_id)
        require_runnable(round_)
        now = utc_now()
        enqueue(tx, round_, submitted_by=actor.name, now=now)
        record_change(tx, actor, "round.resumed", round_.round_id, now=now)
    if round_.state is not RoundState.APPENDED:
        service.runner.submit(round_.round_id)
    return round_status(service, round_.round_id)


def cancel(service: Service, round_id: str, *, actor: Actor) -> RoundStatus:
    """Cancel a round: at once where it does not run, else at its next report. Again changes nothing.

    Raises: NotFound; Conflict for a round that has ended otherwise.
    """
    with service.writing:
        with service.platform.catalog.transaction() as tx:
            round_ = _round(tx, round_id)
            if round_.state is not RoundState.CANCELLED:
                if round_.state in (RoundState.APPENDED, RoundState.FAILED):
                    raise Conflict(f"round {round_id}: is {round_.state} already; nothing is left to cancel")
                _ask_to_stop(tx, round_.round_id, actor)
        if round_.state is not RoundState.CANCELLED and not service.runner.stop(round_.round_id):
            conclude(service.platform, round_.round_id, RunState.CANCELLED, writing=service.writing)
            service.runner.changed(round_.round_id)
    return round_status(service, round_.round_id)


def round_status(service: Service, round_id: str) -> RoundStatus:
    """Give how far a round is, or a request for one.

    Raises: NotFound for an unknown id.
    """
    with service.platform.catalog.transaction() as tx:
        round_ = _round(tx, round_id)
        return _status(service, round_, run_catalog.find_run(tx, round_.round_id))


def round_steps(service: Service, round_id: str) -> list[StepRun]:
    """Give the finished steps of a round, in order.

    Raises: NotFound for an unknown id.
    """
    with service.platform.catalog.transaction() as tx:
        return steps_of(tx, _round(tx, round_id).round_id)


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


def requests_page(service: Service, page: PageRequest) -> Page[tuple[KnownRequest, RoundRun | None]]:
    """Give what was asked for, newest first, each with what is done about it; None once it is a round."""
    with service.platform.catalog.transaction() as tx:
        found = request_catalog.requests_page(tx, page)
        runs = run_catalog.runs_of(tx, [known.request_id for known in found.items])
    return Page(tuple((known, runs.get(known.request_id)) for known in found.items), found.after)


def _round(tx: Transaction, round_id: str) -> Round:
    """The round of this id, or of this request; a request that is no round yet as the round that is wanted."""
    known = request_catalog.find_request(tx, round_id)
    if known is None:
        return round_named(tx, round_id)
    if known.round_id is not None:
        return round_named(tx, known.round_id)
    run = run_catalog.find_run(tx, round_id)
    cancelled = run is not None and run.state is RunState.CANCELLED
    state = RoundState.CANCELLED if cancelled else RoundState.PLANNED
    return Round(round_id, known.request.wanted, state, message="cancelled" if cancelled else "")


def _ask_to_stop(tx: Transaction, round_id: str, actor: Actor) -> None:
    now = utc_now()
    run = run_catalog.find_run(tx, round_id) or RoundRun(round_id, RunState.QUEUED, actor.name, now)
    run_catalog.save_run(tx, replace(run, stop_requested=True))
    record_change(tx, actor, "round.cancel", round_id, now=now)


def _status(service: Service, round_: Round, run: RoundRun | None) -> RoundStatus:
    live = service.runner.status(round_.round_id)
    if live is None:
        ended = service.runner.unwritten(round_.round_id)
        return RoundStatus(round_, replace(run, state=ended[0], message=ended[1]) if run and ended else run)
    return RoundStatus(round_, run, live.progress, live.changes)
