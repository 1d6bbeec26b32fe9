"""Who labels how: agreement with others and with the truth, and what the labels cost in time."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, median

from al_platform.domain.labels import Answer, Box
from al_platform.labeling.agreement import SAME_FROM, box_agreement


@dataclass(frozen=True)
class AnnotatorStatistics:
    """One person's answers, counted; None where there is nothing to measure."""

    annotator: str
    answers: int
    rejected: int
    unusable: int
    seconds: float
    """Time spent, all answers together."""
    median_seconds: float | None
    agreement: float | None
    """Mean agreement with what others said of the same tasks, in [0, 1]; rejections are left out."""
    gold_agreement: float | None
    """Mean agreement with the truth, where it is known."""


def annotator_statistics(
    answers: Sequence[Answer], *, gold: Mapping[str, Sequence[Box]] | None = None, same_from: float = SAME_FROM
) -> list[AnnotatorStatistics]:
    """Give the statistics of every person who answered, by name.

    `gold` is the truth by task id. Where it says nothing of a task, a reviewer's answer is the truth for all others.
    """
    by_task = _labelled_by_task(answers)
    truth = {**_reviewed(answers), **(gold or {})}
    people: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        people[answer.annotator].append(answer)
    return [_of_one(name, people[name], by_task, truth, same_from) for name in sorted(people)]


def label_seconds(answers: Sequence[Answer]) -> float:
    """Give the working time of people behind these answers, in seconds; answers without one count nothing."""
    return sum(answer.seconds for answer in answers if answer.seconds is not None)


def _of_one(
    name: str,
    own: Sequence[Answer],
    by_task: Mapping[str, Sequence[Answer]],
    truth: Mapping[str, Sequence[Box]],
    same_from: float,
) -> AnnotatorStatistics:
    labelled = [answer for answer in own if not (answer.problem or answer.rejected)]
    times = [answer.seconds for answer in own if answer.seconds is not None]
    with_others = [
        box_agreement(answer.boxes, other.boxes, same_from=same_from)
        for answer in labelled
        for other in by_task[answer.task_id]
        if other.annotator != name
    ]
    with_truth = [
        box_agreement(answer.boxes, truth[answer.task_id], same_from=same_from)
        for answer in labelled
        if answer.task_id in truth and not answer.decisive
    ]
    return AnnotatorStatistics(
        annotator=name,
        answers=len(own),
        rejected=sum(bool(answer.rejected) for answer in own),
        unusable=sum(bool(answer.problem) for answer in own),
        seconds=sum(times),
        median_seconds=median(times) if times else None,
        agreement=mean(with_others) if with_others else None,
        gold_agreement=mean(with_truth) if with_truth else None,
    )


def _labelled_by_task(answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    by_task: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        if not (answer.problem or answer.rejected):
            by_task[answer.task_id].append(answer)
    return by_task


def _reviewed(answers: Sequence[Answer]) -> dict[str, tuple[Box, ...]]:
    decisive = [answer for answer in answers if answer.decisive and not (answer.problem or answer.rejected)]
    return {answer.task_id: answer.boxes for answer in sorted(decisive, key=lambda answer: answer.changed_at)}
