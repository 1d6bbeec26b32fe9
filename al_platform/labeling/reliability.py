"""How far a label can be relied on, from what the people behind it said. In [0, 1]; higher = more reliable."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import mean

from al_platform.domain.labels import Answer, Box
from al_platform.labeling.agreement import SAME_FROM, mean_pairwise
from al_platform.labeling.annotators import annotator_statistics


def task_reliability(
    answers: Sequence[Answer], *, gold: Mapping[str, Sequence[Box]] | None = None, same_from: float = SAME_FROM
) -> dict[str, float]:
    """Give the reliability of the label of each task that people labelled, by task id.

    It is how far the answers to the task agree (mean over pairs, 1 for a single answer) times how far the people who
    gave them can be trusted (mean over them): their agreement with the truth where that is known, by `gold` or by a
    reviewer's answer, else their agreement with others on all tasks given here, else 1. What a reviewer decided has
    reliability 1. So a label on which two people disagree counts less, and so does every label of somebody who
    misses gold items.

    Rejections and answers that cannot be used say nothing of a label.
    """
    trust = _trust(answers, gold, same_from)
    by_task: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        if not (answer.problem or answer.rejected):
            by_task[answer.task_id].append(answer)
    return {task_id: _of_task(same, trust, same_from) for task_id, same in by_task.items()}


def _of_task(answers: Sequence[Answer], trust: Mapping[str, float], same_from: float) -> float:
    if any(answer.decisive for answer in answers):
        return 1.0
    agreement = mean_pairwise([answer.boxes for answer in answers], same_from=same_from)
    return agreement * mean(trust[answer.annotator] for answer in answers)


def _trust(answers: Sequence[Answer], gold: Mapping[str, Sequence[Box]] | None, same_from: float) -> dict[str, float]:
    trust = {}
    for person in annotator_statistics(answers, gold=gold, same_from=same_from):
        known = [its for its in (person.gold_agreement, person.agreement) if its is not None]
        trust[person.annotator] = known[0] if known else 1.0
    return trust
