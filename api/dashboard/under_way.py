"""What was asked of the service about policies and is not done, in words."""

from dataclasses import dataclass

from al_platform.domain.operations import ComparisonWish, EvaluationWish, FixWish, LicenceWish, Operation
from al_platform.domain.progress import Progress
from al_platform.platform.service import Service
from al_platform.platform.taking_on import operations_under_way


@dataclass(frozen=True)
class UnderWay:
    """A wish that is not fulfilled yet."""

    operation: Operation
    what: str
    progress: Progress | None


def all_under_way(service: Service) -> list[UnderWay]:
    """Give everything that is under way, in the order in which it was asked for."""
    found = operations_under_way(service)
    return [UnderWay(operation, _what(operation), progress) for operation, progress in found]


def suite_of(operation: Operation) -> str:
    """Give the suite that something is judged on; empty where it is on none."""
    wish = operation.wish
    if isinstance(wish, LicenceWish):
        return wish.spec.suite_id
    return wish.suite_id if isinstance(wish, EvaluationWish | ComparisonWish) else ""


def _what(operation: Operation) -> str:
    wish = operation.wish
    if isinstance(wish, ComparisonWish):
        return f"{wish.after} compared with {wish.before}"
    if isinstance(wish, FixWish):
        return f"{wish.after} drives variations of {wish.scenario_id}"
    if isinstance(wish, LicenceWish):
        return f"licence {wish.spec.name} for {wish.policy_id}"
    return f"{wish.policy_id} drives" if isinstance(wish, EvaluationWish) else f"{operation.operation_id} is trained"
