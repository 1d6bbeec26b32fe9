"""Progress of a round as server-sent events: its state at once, then whatever changes, until it rests."""

import asyncio
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool

from al_platform.domain.runs import RunState
from al_platform.platform.service import Service
from al_platform.platform.submissions import RoundStatus, round_status
from api.schemas.round_answers import RoundOut

_LOOK_EVERY_S = 0.2
_BEAT_EVERY_S = 15.0
_UNDER_WAY = (RunState.QUEUED, RunState.RUNNING)
"""A round that has just been entered is these for a moment before anybody runs it."""


async def round_events(service: Service, round_id: str) -> AsyncIterator[str]:
    """Give `round` events, each the whole status of the round, and `end` once nothing is being done about it."""
    shown: RoundStatus | None = None
    quiet_s = 0.0
    while True:
        live = service.runner.status(round_id)
        known = -1 if shown is None or shown.run is None else shown.changes
        if shown is None or live is None or live.changes != known or quiet_s >= _BEAT_EVERY_S:
            status = await run_in_threadpool(round_status, service, round_id)
            yield ": still here\n\n" if status == shown else _event("round", status)
            shown, quiet_s = status, 0.0
        if round_id != shown.round.round_id:
            round_id = shown.round.round_id  # the request has become a round, which is live by now or at rest
            continue
        if live is None and (shown.run is None or shown.run.state not in _UNDER_WAY):
            yield _event("end", shown)
            return
        await asyncio.sleep(_LOOK_EVERY_S)
        quiet_s += _LOOK_EVERY_S


def _event(name: str, status: RoundStatus) -> str:
    return f"event: {name}\nid: {status.changes}\ndata: {RoundOut.of(status).model_dump_json()}\n\n"
