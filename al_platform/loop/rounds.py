"""Running a round: from the first unfinished step to the last, one transaction a step."""

import time
from dataclasses import replace

from al_platform.catalog import rounds as round_catalog
from al_platform.catalog.rounds import StepRun
from al_platform.domain.clock import utc_now
from al_platform.domain.environment import environment
from al_platform.domain.ids import make_id
from al_platform.domain.progress import Progress
from al_platform.domain.rounds import Round, RoundSpec, RoundState
from al_platform.errors import InvalidInput, NonFiniteScore, PlatformError
from al_platform.loop.checks import require_possible, require_present
from al_platform.loop.context import LoopContext
from al_platform.loop.steps import STEPS


def round_id_of(spec: RoundSpec, loop_id: str | None = None) -> str:
    """Name a round by its content: submitting the same round twice is one round."""
    return make_id("rnd", spec, loop_id)


def submit_round(context: LoopContext, spec: RoundSpec, *, loop_id: str | None = None) -> Round:
    """Enter a round, or find it as far as it is.

    Raises: InvalidInput for a round that cannot be, NotFound where it begins with what the catalog lacks; as
        `checks` says. Nothing is entered then.
    """
    require_possible(context, spec)
    require_present(context, spec)
    with context.catalog.transaction() as tx:
        return round_catalog.plan_round(tx, round_id_of(spec, loop_id), spec, loop_id=loop_id, now=utc_now())


def run_round(context: LoopContext, round_: Round) -> Round:
    """Run a round from its first unfinished step until it is appended, or waits for labels.

    A step that raises leaves the round as the step before left it, with the reason in its message;
    running it again goes on from there.

    Raises: InvalidInput for a round that was cancelled, or failed for good.
    """
    if round_.state in (RoundState.CANCELLED, RoundState.FAILED):
        reason = f" ({round_.message})" if round_.message else ""
        raise InvalidInput(f"round {round_.round_id}: is {round_.state}{reason}; submit it with another seed or model")
    while round_.state in STEPS:
        context.report(Progress("round", list(STEPS).index(round_.state), len(STEPS)))
        moved = _run_step(context, round_)
        if moved.state is round_.state:
            return moved
        round_ = moved
    return round_


def advance_round(context: LoopContext, round_id: str, state: RoundState) -> Round:
    """Run the one step that follows `state`; a round that is elsewhere by now is given as it is.

    So a step that was committed is not run again by whoever did not hear of it. The round stays where it is while
    labels are out.

    Raises: NotFound for an unknown round; whatever the step raises.
    """
    with context.catalog.transaction() as tx:
        round_ = round_catalog.round_named(tx, round_id)
    return _run_step(context, round_) if round_.state is state and state in STEPS else round_


def _run_step(context: LoopContext, round_: Round) -> Round:
    name, step = STEPS[round_.state]
    started_at, started = utc_now(), time.perf_counter()
    try:
        result = step(context, round_)
    except PlatformError as error:
        state = RoundState.FAILED if isinstance(error, NonFiniteScore) else round_.state
        with context.catalog.transaction() as tx:
            round_catalog.save_round(tx, replace(round_, state=state, message=f"{name}: {error}"))
        raise
    run = StepRun(name, started_at, time.perf_counter() - started, result.cached, result.outputs, environment())
    with context.catalog.transaction() as tx:
        result.commit(tx)
        if result.round.state is round_.state:
            round_catalog.save_round(tx, result.round)
            return result.round
        moved = replace(result.round, message="")
        round_catalog.save_round(tx, moved)
        round_catalog.record_step(tx, round_.round_id, run)
    return moved
