"""How much each label counts in the loss: less where the people behind it disagree or miss gold items."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.catalog.answers import answers_behind
from al_platform.domain.datasets import DatasetItem
from al_platform.labeling.reliability import task_reliability
from al_platform.loop.context import LoopContext


def loss_weights(context: LoopContext, items: Sequence[DatasetItem], *, doubt: float) -> NDArray[Any] | None:
    """Give the weight of each labelled frame in the loss, float64 [N] in [1 - doubt, 1]; None without doubt.

    A label of reliability r weighs 1 - doubt (1 - r); r is that of `task_reliability`, and 1 for a label that no
    person gave. A frame that was labelled by several tasks counts by the least of them. Validation and calibration
    see all labels alike.

    The weights follow the answers as they are now, so they belong to what determines an ensemble.
    """
    if not doubt:
        return None
    with context.catalog.transaction() as tx:
        behind = answers_behind(tx, [item.annotation_id for item in items])
    of_task = task_reliability(
        list({(its.task_id, its.answer_id): its for same in behind.values() for its in same}.values())
    )
    reliability = [
        min((of_task[its.task_id] for its in behind.get(item.annotation_id, ()) if its.task_id in of_task), default=1.0)
        for item in items
    ]
    return 1.0 - doubt * (1.0 - np.array(reliability))
