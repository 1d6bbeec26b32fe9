"""From what several people said to one label, or to the reason why there is none yet."""

from collections.abc import Sequence
from dataclasses import dataclass

from al_platform.domain.labels import Answer
from al_platform.errors import InvalidInput
from al_platform.labeling.agreement import SAME_FROM, box_agreement, mean_pairwise


@dataclass(frozen=True)
class ReviewPolicy:
    """How many people label an item, and how far they must agree; below that a reviewer decides."""

    answers: int = 1
    agreement: float = 0.6
    """Mean share of boxes with a partner, over all pairs of answers, in [0, 1]."""
    same_from: float = SAME_FROM

    def __post_init__(self) -> None:
        """Refuse policies that nobody or everybody meets."""
        if self.answers < 1:
            raise InvalidInput(f"answers {self.answers}: at least 1 person has to label an item")
        for name in ("agreement", "same_from"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise InvalidInput(f"{name} {getattr(self, name)}: must be in (0, 1]")


@dataclass(frozen=True)
class Verdict:
    """The answer that stands, or why none does."""

    answer: Answer | None = None
    waits: str = ""


def settle(answers: Sequence[Answer], policy: ReviewPolicy) -> Verdict:
    """Give the answer that stands for a task.

    A reviewer's answer stands. Otherwise, once enough people answered: the newest, where one is enough; else the one
    that agrees most with all others. It is always something that a person drew, never an average of boxes.
    """
    usable = _newest_of_each([answer for answer in answers if not answer.problem])
    decisive = [answer for answer in usable if answer.decisive]
    if decisive:
        return Verdict(_newest(decisive))
    if len(usable) < policy.answers:
        return Verdict(waits=_missing(answers, usable, policy))
    if policy.answers == 1:
        return Verdict(_newest(usable))
    return _agreed(usable, policy)


def _agreed(usable: Sequence[Answer], policy: ReviewPolicy) -> Verdict:
    rejected = [answer for answer in usable if answer.rejected]
    if len(rejected) == len(usable):
        return Verdict(_newest(rejected))
    if rejected:
        who = ", ".join(f"{answer.annotator}: {answer.rejected or 'labelled'}" for answer in usable)
        return Verdict(waits=f"rejected by some and labelled by others ({who}); a reviewer has to decide")
    judged = {(its.triage.verdict, *sorted(its.triage.events.items())) for its in usable if its.triage}
    if len(judged) > 1:
        return Verdict(waits="annotators say different things of the event; a reviewer has to decide")
    agreement = mean_pairwise([answer.boxes for answer in usable], same_from=policy.same_from)
    if agreement < policy.agreement:
        return Verdict(waits=f"annotators agree by {agreement:.2f} < {policy.agreement:g}; a reviewer has to decide")
    return Verdict(max(usable, key=lambda answer: (_support(answer, usable, policy), answer.answer_id)))


def _support(answer: Answer, usable: Sequence[Answer], policy: ReviewPolicy) -> float:
    return sum(box_agreement(answer.boxes, other.boxes, same_from=policy.same_from) for other in usable)


def _missing(answers: Sequence[Answer], usable: Sequence[Answer], policy: ReviewPolicy) -> str:
    problems = [f"{answer.annotator}: {answer.problem}" for answer in answers if answer.problem]
    count = [] if policy.answers == 1 else [f"{len(usable)} of {policy.answers} answers are in"]
    return "; ".join(count + problems)


def _newest_of_each(answers: Sequence[Answer]) -> list[Answer]:
    """One answer a person: who answers twice is counted once."""
    latest = {answer.annotator: answer for answer in sorted(answers, key=_when)}
    return sorted(latest.values(), key=_when)


def _newest(answers: Sequence[Answer]) -> Answer:
    return max(answers, key=_when)


def _when(answer: Answer) -> tuple[str, str]:
    return answer.changed_at, answer.answer_id
