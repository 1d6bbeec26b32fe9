"""What labelling tools ask about tasks: what to look for in which frame, and what the ensemble says of it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from numpy.typing import NDArray

from al_platform.catalog.frames import frames_by_id
from al_platform.catalog.models import ensemble_named
from al_platform.catalog.rounds import round_named
from al_platform.catalog.scenarios import scenarios_named
from al_platform.catalog.tasks import tasks_of
from al_platform.domain.driving import PolicyModel, detected_event
from al_platform.domain.labels import CONTROL_CLASS, LabelTask
from al_platform.domain.rounds import Round, RoundSpec
from al_platform.domain.scenarios import ScenarioReference
from al_platform.labeling.base import Brief, DescribeTasks, Hint, HintTasks, SceneBrief, Shown, TaskBrief
from al_platform.labeling.heat_picture import heat_picture
from al_platform.labeling.proposals import proposed_boxes
from al_platform.loop.clips import clips_of
from al_platform.loop.context import LoopContext
from al_platform.loop.heatmaps import belief_of
from al_platform.training.belief import Belief


def task_describer(context: LoopContext) -> DescribeTasks:
    """Give what tells a labelling tool the queue, the classes and the frame of tasks."""
    return partial(_briefs, context)


def task_hinter(context: LoopContext) -> HintTasks:
    """Give what tells a labelling tool the proposals and the disagreement of the ensemble that picked the tasks."""
    return partial(_hints, context)


def _briefs(context: LoopContext, tasks: Sequence[LabelTask]) -> list[Brief]:
    with context.catalog.transaction() as tx:
        specs = {round_id: round_named(tx, round_id).spec for round_id in {task.round_id for task in tasks}}
        scenes = {task.item_id for task in tasks if isinstance(specs[task.round_id].model, PolicyModel)}
        frames = frames_by_id(tx, [task.item_id for task in tasks if task.item_id not in scenes])
        scenarios = scenarios_named(tx, sorted(scenes))
    return [
        _scene_brief(task, specs[task.round_id], scenarios[task.item_id])
        if task.item_id in scenes
        else TaskBrief(task, specs[task.round_id].queue, specs[task.round_id].frame_model.classes, frames[task.item_id])
        for task in tasks
    ]


def _scene_brief(task: LabelTask, spec: RoundSpec, scene: ScenarioReference) -> SceneBrief:
    event = detected_event(task.for_class, task.score)
    return SceneBrief(task, spec.queue, spec.policy_model.tags, event, scene.name)


def _hints(context: LoopContext, tasks: Sequence[LabelTask]) -> Mapping[str, Shown]:
    hints: dict[str, Shown] = {}
    for round_id in dict.fromkeys(task.round_id for task in tasks):
        with context.catalog.transaction() as tx:
            round_ = round_named(tx, round_id)
        own = [task for task in tasks if task.round_id == round_id]
        if round_.of_scenarios:
            hints.update(clips_of(context, round_, own))
        elif round_.ensemble_id is not None:
            hints.update(_hints_of_round(context, round_, own))
    return hints


def _hints_of_round(context: LoopContext, round_: Round, tasks: Sequence[LabelTask]) -> dict[str, Hint]:
    """Of all picks of the round at once, however few are asked for at a time: it is one job."""
    with context.catalog.transaction() as tx:
        picked = sorted(task.item_id for task in tasks_of(tx, round_.round_id))
        frames = frames_by_id(tx, [task.item_id for task in tasks])
        ensemble = ensemble_named(tx, round_.ensemble_id or "")
    belief, rows = belief_of(context, ensemble, picked), {frame_id: row for row, frame_id in enumerate(picked)}
    classes = ensemble.spec.classes
    hints = {}
    for task in tasks:
        frame, row = frames[task.item_id], rows[task.item_id]
        information_HW = _information(belief, row, classes=classes, for_class=task.for_class)
        picture = heat_picture(context.blobs.get(frame.image.hash), information_HW)
        boxes = proposed_boxes(belief.probability[row], classes, width=frame.width, height=frame.height)
        heatmap = context.blobs.put(picture, media_type="image/jpeg")
        hints[task.task_id] = Hint(ensemble.ensemble_id, boxes, heatmap)
    return hints


def _information(belief: Belief, row: int, *, classes: Sequence[str], for_class: str) -> NDArray[Any]:
    """The mutual information [H, W] about the class that a frame was picked for; of control picks, the most of any."""
    information_KHW = belief.information[row]
    by_class: NDArray[Any] = (
        information_KHW.max(axis=0) if for_class == CONTROL_CLASS else information_KHW[classes.index(for_class)]
    )
    return by_class
