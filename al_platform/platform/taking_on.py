"""What is asked of the service about policies lies in the catalog until it is done, whoever restarts meanwhile."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from al_platform.catalog import judgements as catalog
from al_platform.catalog.access import record_change
from al_platform.catalog.connection import Transaction
from al_platform.domain.access import Actor
from al_platform.domain.clock import utc_now
from al_platform.domain.judgements import (
    EvaluationWish,
    FixWish,
    Judgement,
    JudgementState,
    LicenceWish,
    TrainingWish,
    Wish,
)
from al_platform.domain.progress import Progress
from al_platform.errors import CatalogBusy, ComputeUnavailable, CorruptBlob, PlatformError, StorageUnavailable
from al_platform.platform.asking import (
    Asked,
    ask_comparison,
    ask_evaluation,
    ask_fix,
    ask_licence,
    ask_policy,
)
from al_platform.platform.home import Platform
from al_platform.platform.service import Service
from al_platform.policies.changes import ComparisonSpec

Result = TypeVar("Result")

_LATER = (ComputeUnavailable, StorageUnavailable, CatalogBusy)
"""What passes: it is taken on again."""
_ONE_AT_A_TIME = threading.Lock()
"""Results are entered here alone, so that no two threads enter the same."""
_AT_ONCE = 100


@dataclass(frozen=True)
class Judged(Generic[Result]):
    """What was asked for, how far it is, and its result once it is done."""

    judgement_id: str
    state: JudgementState
    message: str
    """Why it failed, or what it waits for."""
    progress: Progress | None
    result: Result | None


def ask(service: Service, judgement_id: str, wish: Wish, *, actor: Actor) -> None:
    """Enter a wish and take it as far as it goes now; asked again it is the same, and a failed one is tried again."""
    with service.writing, service.platform.catalog.transaction() as tx:
        entered = enter(tx, judgement_id, wish, actor=actor)
    if entered:
        take_on(service, judgement_id, again=True)


def enter(tx: Transaction, judgement_id: str, wish: Wish, *, actor: Actor) -> bool:
    """Enter a wish, to be taken on once that is committed; says whether there is anything left to do for it."""
    kind, now = type(wish).__name__.removesuffix("Wish").lower(), utc_now()
    known = catalog.find_judgement(tx, judgement_id)
    if known is not None and known.state is not JudgementState.FAILED:
        return False
    catalog.save_judgement(tx, Judgement(judgement_id, wish, actor.name, now))
    record_change(tx, actor, f"{kind}.asked", judgement_id, now=now)
    return True


def take_on(service: Service, judgement_id: str, *, again: bool) -> None:
    """Take a wish as far as it goes now; `again` starts a job anew that ended without a result."""
    with _ONE_AT_A_TIME:
        before = find(service, judgement_id)
        if before is None or before.state is not JudgementState.RUNNING:
            return
        after = _after(service.platform, before, again=again)
        if after != before:
            with service.writing, service.platform.catalog.transaction() as tx:
                catalog.save_judgement(tx, after)


def take_on_judgements(service: Service) -> None:
    """Take everything that was asked for as far as it goes now; called again and again by the service."""
    with service.platform.catalog.transaction() as tx:
        found = catalog.judgements_in(tx, JudgementState.RUNNING, limit=_AT_ONCE)
    for each in found:
        take_on(service, each.judgement_id, again=False)


def judgements_under_way(service: Service) -> list[tuple[Judgement, Progress | None]]:
    """Give what is being done, each with how far its job is."""
    with service.platform.catalog.transaction() as tx:
        found = catalog.judgements_in(tx, JudgementState.RUNNING, limit=_AT_ONCE)
    return [(each, _progress(service.platform, each)) for each in found]


def find(service: Service, judgement_id: str) -> Judgement | None:
    """Give what was asked for under an id, None where nobody asked."""
    with service.platform.catalog.transaction() as tx:
        return catalog.find_judgement(tx, judgement_id)


def status_of(service: Service, judgement_id: str, result_of: Callable[[Platform, str], Result]) -> Judged[Result]:
    """Give how far something is that has the id of its result, whoever made it. Raises: as `result_of`."""
    found = find(service, judgement_id)
    if found is None or found.state is JudgementState.DONE:
        return Judged(judgement_id, JudgementState.DONE, "", None, result_of(service.platform, judgement_id))
    return judged_as(service, found, None)


def judged_as(service: Service, found: Judgement, result: Result | None) -> Judged[Result]:
    """Give how far a wish is, beside its result."""
    running = found.state is JudgementState.RUNNING
    progress = _progress(service.platform, found) if running else None
    return Judged(found.judgement_id, found.state, found.message, progress, result)


def result_again(platform: Platform, found: Judgement) -> object:
    """Give what came of a wish whose result lies in storage alone; None until it is done."""
    return taken_on(platform, found.wish, again=False).result if found.state is JudgementState.DONE else None


def taken_on(platform: Platform, wish: Wish, *, again: bool) -> Asked[object]:
    """Ask for what is wished. Raises: what ended it."""
    if isinstance(wish, EvaluationWish):
        return ask_evaluation(platform, wish.policy_id, wish.suite_id, spec=wish.spec, again=again)
    if isinstance(wish, LicenceWish):
        return ask_licence(platform, wish.policy_id, wish.spec, again=again)
    if isinstance(wish, TrainingWish):
        return ask_policy(platform, wish.request, again=again)
    if isinstance(wish, FixWish):
        return ask_fix(platform, wish, again=again)
    wanted = ComparisonSpec(wish.progress_margin, wish.clips)
    return ask_comparison(platform, wish.before, wish.after, wish.suite_id, spec=wish.spec, wanted=wanted, again=again)


def _after(platform: Platform, before: Judgement, *, again: bool) -> Judgement:
    try:
        asked = taken_on(platform, before.wish, again=again)
    except PlatformError as error:
        passes = isinstance(error, _LATER) and not isinstance(error, CorruptBlob)
        state = JudgementState.RUNNING if passes else JudgementState.FAILED
        return replace(before, state=state, message=str(error))
    state = JudgementState.RUNNING if asked.result is None else JudgementState.DONE
    return replace(before, state=state, job_key=asked.key, message="")


def _progress(platform: Platform, judgement: Judgement) -> Progress | None:
    return platform.compute.status(judgement.job_key).progress if judgement.job_key else None
