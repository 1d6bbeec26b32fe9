"""What is asked of the service about policies lies in the catalog until it is done, whoever restarts meanwhile."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from al_platform.catalog import operations as catalog
from al_platform.catalog.access import record_change
from al_platform.catalog.connection import Transaction
from al_platform.domain.access import Actor
from al_platform.domain.clock import utc_now
from al_platform.domain.operations import (
    EvaluationWish,
    FixWish,
    LicenceWish,
    Operation,
    OperationState,
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
class OperationStatus(Generic[Result]):
    """What was asked for, how far it is, and its result once it is done."""

    operation_id: str
    state: OperationState
    message: str
    """Why it failed, or what it waits for."""
    progress: Progress | None
    result: Result | None


def ask(service: Service, operation_id: str, wish: Wish, *, actor: Actor) -> None:
    """Enter a wish and take it as far as it goes now; asked again it is the same, and a failed one is tried again."""
    with service.writing, service.platform.catalog.transaction() as tx:
        entered = enter(tx, operation_id, wish, actor=actor)
    if entered:
        take_on(service, operation_id, again=True)


def enter(tx: Transaction, operation_id: str, wish: Wish, *, actor: Actor) -> bool:
    """Enter a wish, to be taken on once that is committed; says whether there is anything left to do for it."""
    kind, now = type(wish).__name__.removesuffix("Wish").lower(), utc_now()
    known = catalog.find_operation(tx, operation_id)
    if known is not None and known.state is not OperationState.FAILED:
        return False
    catalog.save_operation(tx, Operation(operation_id, wish, actor.name, now))
    record_change(tx, actor, f"{kind}.asked", operation_id, now=now)
    return True


def take_on(service: Service, operation_id: str, *, again: bool) -> None:
    """Take a wish as far as it goes now; `again` starts a job anew that ended without a result."""
    with _ONE_AT_A_TIME:
        before = find(service, operation_id)
        if before is None or before.state is not OperationState.RUNNING:
            return
        after = _after(service.platform, before, again=again)
        if after != before:
            with service.writing, service.platform.catalog.transaction() as tx:
                catalog.save_operation(tx, after)


def take_on_operations(service: Service) -> None:
    """Take everything that was asked for as far as it goes now; called again and again by the service."""
    with service.platform.catalog.transaction() as tx:
        found = catalog.operations_in(tx, OperationState.RUNNING, limit=_AT_ONCE)
    for each in found:
        take_on(service, each.operation_id, again=False)


def operations_under_way(service: Service) -> list[tuple[Operation, Progress | None]]:
    """Give what is being done, each with how far its job is."""
    with service.platform.catalog.transaction() as tx:
        found = catalog.operations_in(tx, OperationState.RUNNING, limit=_AT_ONCE)
    return [(each, _progress(service.platform, each)) for each in found]


def find(service: Service, operation_id: str) -> Operation | None:
    """Give what was asked for under an id, None where nobody asked."""
    with service.platform.catalog.transaction() as tx:
        return catalog.find_operation(tx, operation_id)


def status_of(
    service: Service, operation_id: str, result_of: Callable[[Platform, str], Result]
) -> OperationStatus[Result]:
    """Give how far something is that has the id of its result, whoever made it. Raises: as `result_of`."""
    found = find(service, operation_id)
    if found is None or found.state is OperationState.DONE:
        return OperationStatus(operation_id, OperationState.DONE, "", None, result_of(service.platform, operation_id))
    return status_with(service, found, None)


def status_with(service: Service, found: Operation, result: Result | None) -> OperationStatus[Result]:
    """Give how far a wish is, beside its result."""
    running = found.state is OperationState.RUNNING
    progress = _progress(service.platform, found) if running else None
    return OperationStatus(found.operation_id, found.state, found.message, progress, result)


def result_again(platform: Platform, found: Operation) -> object:
    """Give what came of a wish whose result lies in storage alone; None until it is done."""
    return taken_on(platform, found.wish, again=False).result if found.state is OperationState.DONE else None


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


def _after(platform: Platform, before: Operation, *, again: bool) -> Operation:
    try:
        asked = taken_on(platform, before.wish, again=again)
    except PlatformError as error:
        passes = isinstance(error, _LATER) and not isinstance(error, CorruptBlob)
        state = OperationState.RUNNING if passes else OperationState.FAILED
        return replace(before, state=state, message=str(error))
    state = OperationState.RUNNING if asked.result is None else OperationState.DONE
    return replace(before, state=state, job_key=asked.key, message="")


def _progress(platform: Platform, operation: Operation) -> Progress | None:
    return platform.compute.status(operation.job_key).progress if operation.job_key else None
