"""Pictures for the report: what the arms of the first seed picked first, and the disagreement that chose it."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from al_platform.catalog import experiments as experiment_catalog
from al_platform.catalog import models as model_catalog
from al_platform.catalog.frames import frames_by_id
from al_platform.catalog.rounds import round_named
from al_platform.catalog.tasks import tasks_of
from al_platform.domain.labels import CONTROL_CLASS, LabelTask, TaskState
from al_platform.domain.models import ModelSpec
from al_platform.domain.rounds import Round
from al_platform.experiments.records import Picked
from al_platform.loop.context import LoopContext
from al_platform.loop.heatmaps import heatmaps_of
from al_platform.loop.models import labelled_frames, presence_maps

PICTURES_PER_ARM = 8


def pick_gallery(
    context: LoopContext, experiment_id: str, model: ModelSpec, *, targets: Sequence[str]
) -> tuple[Picked, ...]:
    """Give the best-ranked frames that the first round of every arm of seed 0 labelled, with heatmaps."""
    with context.catalog.transaction() as tx:
        firsts = [
            (arm, round_named(tx, round_id))
            for arm, index, round_id in experiment_catalog.rounds_of_experiment(tx, experiment_id, seed=0)
            if index == 1
        ]
    return tuple(picture for arm, round_ in firsts for picture in _pictures(context, arm, round_, model, targets))


def _pictures(context: LoopContext, arm: str, round_: Round, model: ModelSpec, targets: Sequence[str]) -> list[Picked]:
    with context.catalog.transaction() as tx:
        tasks = [task for task in tasks_of(tx, round_.round_id) if task.state is TaskState.LABELED][:PICTURES_PER_ARM]
        frames = frames_by_id(tx, [task.item_id for task in tasks])
        ensemble = model_catalog.ensemble_named(tx, round_.ensemble_id or "")
    maps_NKHW = heatmaps_of(context, ensemble, pool_id=round_.spec.pool_id, frame_ids=[task.item_id for task in tasks])
    shown = _shows_target(context, model, round_, targets)
    return [
        Picked(
            arm=arm,
            frame_id=task.item_id,
            image=context.blobs.get(frames[task.item_id].image.hash),
            for_class=task.for_class,
            score=task.score,
            rank=task.rank,
            session_id=frames[task.item_id].session_id,
            heatmap=tuple(
                tuple(float(v) for v in row) for row in _map_of(task, maps_NKHW[index], model=model, targets=targets)
            ),
            shows_target=shown[task.item_id],
        )
        for index, task in enumerate(tasks)
    ]


def _map_of(task: LabelTask, maps_KHW: NDArray[Any], *, model: ModelSpec, targets: Sequence[str]) -> NDArray[Any]:
    """Of the class that the frame was picked for; a control pick was for none, and shows the largest of the targets."""
    wanted = targets if task.for_class == CONTROL_CLASS else [task.for_class]
    highest_HW: NDArray[Any] = maps_KHW[[model.classes.index(name) for name in wanted]].max(axis=0)
    return highest_HW


def _shows_target(context: LoopContext, model: ModelSpec, round_: Round, targets: Sequence[str]) -> dict[str, bool]:
    """Whether the label of each frame of the round's result shows a target class."""
    items, _, annotations = labelled_frames(context, round_.dataset_version_id or "")
    columns = [model.classes.index(name) for name in targets]
    present = presence_maps(context, model).of([annotations[item.annotation_id] for item in items])[:, columns] == 1
    return {item.item_id: bool(present[row].any()) for row, item in enumerate(items)}
