"""What was asked of the service about policies and is not done, in words."""

from dataclasses import dataclass

from al_platform.domain.judgements import ComparisonWish, EvaluationWish, FixWish, Judgement, LicenceWish
from al_platform.domain.progress import Progress
from al_platform.platform.service import Service
from al_platform.platform.taking_on import judgements_under_way


@dataclass(frozen=True)
class UnderWay:
    """A wish that is not fulfilled yet."""

    judgement: Judgement
    what: str
    progress: Progress | None


def all_under_way(service: Service) -> list[UnderWay]:
    """Give everything that is under way, in the order in which it was asked for."""
    found = judgements_under_way(service)
    return [UnderWay(judgement, _what(judgement), progress) for judgement, progress in found]


def suite_of(judgement: Judgement) -> str:
    """Give the suite that something is judged on; empty where it is on none."""
    wish = judgement.wish
    if isinstance(wish, LicenceWish):
        return wish.spec.suite_id
    return wish.suite_id if isinstance(wish, EvaluationWish | ComparisonWish) else ""


def _what(judgement: Judgement) -> str:
    wish = judgement.wish
    if isinstance(wish, ComparisonWish):
        return f"{wish.after} compared with {wish.before}"
    if isinstance(wish, FixWish):
        return f"{wish.after} drives variations of {wish.scenario_id}"
    if isinstance(wish, LicenceWish):
        return f"licence {wish.spec.name} for {wish.policy_id}"
    return f"{wish.policy_id} drives" if isinstance(wish, EvaluationWish) else f"{judgement.judgement_id} is trained"
