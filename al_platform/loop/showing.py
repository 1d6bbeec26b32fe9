"""What a round of a loop showed: its labels, its metric, and what its picks hold beside the control share."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from al_platform.catalog.annotations import newest_labels
from al_platform.catalog.models import metrics_of
from al_platform.catalog.tasks import tasks_of
from al_platform.domain.labels import CONTROL_CLASS, LabelTask, TaskState
from al_platform.domain.loops import LoopRound
from al_platform.domain.rounds import Round
from al_platform.loop.context import LoopContext
from al_platform.loop.kinds import kind_of
from al_platform.loop.scores import pool_scores


def shown_by(
    context: LoopContext, begun: LoopRound, round_: Round, *, with_information: bool, ended_at: str
) -> LoopRound:
    """Give the record of an appended round; the mean information is read from the scores only where it is wanted.

    Raises: as `loop.scores.pool_scores`.
    """
    with context.catalog.transaction() as tx:
        tasks = [task for task in tasks_of(tx, round_.round_id) if task.state is TaskState.LABELED]
    controls = [task for task in tasks if task.for_class == CONTROL_CLASS]
    picked = [task for task in tasks if task.for_class != CONTROL_CLASS]
    return replace(
        begun,
        ended_at=ended_at,
        appended=True,
        labels=len(tasks),
        metric=_metric(context, round_),
        information=_information(context, round_) if with_information and round_.score_id else None,
        picked_frames=len(picked),
        picked_cells=_cells(context, round_, picked),
        control_frames=len(controls),
        control_cells=_cells(context, round_, controls),
    )


def _cells(context: LoopContext, round_: Round, tasks: Sequence[LabelTask]) -> int:
    """What the labels of tasks show of the targets: positive cells, or confirmed events."""
    if not tasks:
        return 0
    with context.catalog.transaction() as tx:
        labels = newest_labels(tx, [task.task_id for task in tasks])
    return kind_of(round_.spec.model).positives(context, round_, list(labels.values()))


def _metric(context: LoopContext, round_: Round) -> float | None:
    if round_.spec.test_version_id is None or round_.ensemble_id is None:
        return None
    with context.catalog.transaction() as tx:
        found = metrics_of(tx, round_.ensemble_id, round_.spec.test_version_id).get("average_precision", {})
    values = [found[name] for name in round_.spec.targets if name in found]
    return float(np.mean(values)) if values else None


def _information(context: LoopContext, round_: Round) -> float:
    scores = pool_scores(context, round_.score_id or "", round_.spec.targets)
    return float(scores.measures.mi_mean[scores.scored].mean(dtype=np.float64))
