"""Frames picked by hand, sent straight to a queue: a round that asks people and nothing else."""

from collections.abc import Sequence
from dataclasses import replace

from al_platform.catalog.access import record_change
from al_platform.catalog.rounds import all_rounds, round_named
from al_platform.domain.access import Actor
from al_platform.domain.clock import utc_now
from al_platform.domain.rounds import Budget, RoundSpec, RoundState, StrategySpec
from al_platform.errors import InvalidInput
from al_platform.loop.rounds import submit_round
from al_platform.platform.entering import enqueue, require_runnable
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context
from al_platform.platform.service import Service
from al_platform.platform.submissions import RoundStatus, round_status


def handpicked_spec(
    platform: Platform, frames: Sequence[str], *, queue: str, annotator: str = "", for_class: str = "", like: str = ""
) -> RoundSpec:
    """Give the round that asks people about these frames, best first.

    It is like the round `like` (default: the newest that trained): the same ensemble, which is not trained again and
    draws the proposals, the same pool and the same labels to append to. Frames that are labelled or queued there
    already are passed over. `annotator` and `for_class` default to that round's annotator and first target.

    Raises: InvalidInput without frames, for a class that is no target of that round, or where no round has trained;
        NotFound for an unknown round.
    """
    with platform.catalog.transaction() as tx:
        rounds = [round_named(tx, like)] if like else all_rounds(tx)
    trained = [round_ for round_ in rounds if round_.ensemble_id is not None]
    if not trained:
        raise InvalidInput("queue: no round has trained yet, so nothing tells what to look for; run `alp round run`")
    if not frames:
        raise InvalidInput("queue: no frame; name at least one")
    base = trained[-1].spec
    return replace(
        base,
        targets=_first(base.targets, for_class),
        budget=Budget(len(frames)),
        strategy=StrategySpec("random"),
        test_version_id=None,
        annotator=annotator or base.annotator,
        queue=queue,
        filter="",
        listed=tuple(frames),
    )


def submit_handpicked(service: Service, spec: RoundSpec, *, actor: Actor) -> RoundStatus:
    """Hand the round to the runner; the same frames for the same queue are the same round.

    Raises: InvalidInput for a frame that is not in the pool or an unknown annotator; Conflict for a round that was
        cancelled or failed for good.
    """
    with service.writing:
        round_ = submit_round(loop_context(service.platform), spec)
        require_runnable(round_)
        with service.platform.catalog.transaction() as tx:
            now = utc_now()
            enqueue(tx, round_, submitted_by=actor.name, now=now)
            detail = {"frames": len(spec.listed), "queue": spec.queue}
            record_change(tx, actor, "round.handpicked", round_.round_id, now=now, detail=detail)
    if round_.state is not RoundState.APPENDED:
        service.runner.submit(round_.round_id)
    return round_status(service, round_.round_id)


def _first(targets: tuple[str, ...], wanted: str) -> tuple[str, ...]:
    if wanted and wanted not in targets:
        raise InvalidInput(f"class {wanted}: no target of the round ({', '.join(targets)})")
    return (wanted, *(name for name in targets if name != wanted)) if wanted else targets
