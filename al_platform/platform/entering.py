"""From a request to a round that runs: pool, test set and start set are frozen behind the request, not in it."""

import threading
from dataclasses import replace

from al_platform.catalog import requests as request_catalog
from al_platform.catalog import runs as run_catalog
from al_platform.catalog.access import record_change
from al_platform.catalog.connection import Transaction
from al_platform.domain.access import Actor, Scope
from al_platform.domain.clock import utc_now
from al_platform.domain.ids import make_id
from al_platform.domain.rounds import Round, RoundState
from al_platform.domain.runs import KnownRequest, RoundRun, RunState
from al_platform.errors import Conflict, NotFound, Stopped
from al_platform.loop.rounds import submit_round
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context, prepare_round

WORKER = Actor("worker", Scope.OPERATOR)
"""Who the log names where the service itself concludes what somebody asked for."""

_REQUEST = "req"


def request_id_of(actor: Actor, key: str) -> str:
    """Name a request by who sent it and the key it came with."""
    return make_id(_REQUEST, actor.name, key)


def is_request(round_id: str) -> bool:
    """Say whether an id is that of a request for a round, not of a round."""
    return round_id.startswith(f"{_REQUEST}_")


def enter_round(platform: Platform, request_id: str, *, writing: threading.RLock) -> Round:
    """Freeze what a request names and queue its round; done twice it comes to the same round.

    Raises: InvalidInput, NotFound as `prepare_round` and `submit_round` say; Conflict for a round that was cancelled
        or failed for good; Stopped for a request that was cancelled meanwhile.
    """
    request = _request_named(platform, request_id).request
    spec = prepare_round(platform, request.wanted, pool=request.pool, test=request.test, start=request.start)
    round_ = submit_round(loop_context(platform), spec)
    require_runnable(round_)
    with writing, platform.catalog.transaction() as tx:
        run = run_catalog.find_run(tx, request_id)
        if run is None or run.stop_requested:
            raise Stopped(f"request {request_id}: was cancelled")
        now = utc_now()
        enqueue(tx, round_, submitted_by=run.submitted_by, now=now)
        request_catalog.link_request(tx, request_id, round_.round_id)
        run_catalog.drop_run(tx, request_id)
        record_change(tx, WORKER, "round.entered", round_.round_id, now=now, detail={"request": request_id})
    return round_


def require_runnable(round_: Round) -> None:
    """Check that a round can be gone on with.

    Raises: Conflict for one that was cancelled or failed for good.
    """
    if round_.state in (RoundState.CANCELLED, RoundState.FAILED):
        reason = f" ({round_.message})" if round_.message else ""
        raise Conflict(f"round {round_.round_id}: is {round_.state}{reason}; submit it with another seed or model")


def enqueue(tx: Transaction, round_: Round, *, submitted_by: str, now: str) -> None:
    """Write that a round is to be run; one that runs already is left alone."""
    known = run_catalog.find_run(tx, round_.round_id)
    run = known or RoundRun(round_.round_id, RunState.QUEUED, submitted_by, now)
    state = RunState.FINISHED if round_.state is RoundState.APPENDED else RunState.QUEUED
    if known is None or known.state is not RunState.RUNNING:
        run_catalog.save_run(tx, replace(run, state=state, message=""))


def conclude_request(
    platform: Platform, request_id: str, state: RunState, *, writing: threading.RLock, message: str = ""
) -> None:
    """Write what became of a request that never came to a round."""
    with writing, platform.catalog.transaction() as tx:
        run = run_catalog.find_run(tx, request_id)
        if run is None or (run.state, run.message) == (state, message):
            return
        run_catalog.save_run(tx, replace(run, state=state, message=message, stop_requested=False))
        record_change(tx, WORKER, f"round.{state.value}", request_id, now=utc_now(), detail={"reason": message})


def _request_named(platform: Platform, request_id: str) -> KnownRequest:
    with platform.catalog.transaction() as tx:
        known = request_catalog.find_request(tx, request_id)
    if known is None:
        raise NotFound(f"request {request_id}: not in the catalog")
    return known
