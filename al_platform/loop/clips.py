"""Clips of scenarios, for people who are asked about them: PNGs that move, which every place of pictures can show."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image

from al_platform.catalog.policies import policy_named
from al_platform.catalog.scenarios import scenarios_named
from al_platform.datasets.scenarios.store import Scenarios, open_layouts, why_lost
from al_platform.domain.data import BlobRef
from al_platform.domain.driving import detected_event
from al_platform.domain.labels import LabelTask
from al_platform.domain.rounds import Round
from al_platform.labeling.base import Clip
from al_platform.loop.context import LoopContext
from al_platform.policies.clips import EVERY as EVENT_EVERY
from al_platform.policies.clips import Side, clip_frames
from al_platform.policies.stored import read_drivers
from al_platform.policies.suites import suite_scenario
from al_platform.policies.wheel import Drive
from al_platform.scoring.shown import drives_showing
from sim.pictures import ground_picture, recording_of, rollout_frames, view_of
from sim.scenario.record import STEP_S, Scenario

EVERY = 3
"""Steps from one picture of a whole scene to the next."""
SPAN_M, PIXELS = 100.0, 400
"""Side of the square that is seen from above."""
COLOURS = 128


def clips_of(context: LoopContext, round_: Round, tasks: Sequence[LabelTask]) -> dict[str, Clip]:
    """Draw the scenario of each task of a round as a moving picture and store it; the same drive gives the same blob.

    Where an event was detected, the recorded drive stands beside the first driver's in which it came about, with a
    ring where that was; else the recorded drive is shown from its beginning to its end.

    Raises: NotFound for a scenario that the store has lost, CorruptBlob for one that is damaged there.
    """
    stores, damaged = open_layouts(Path(context.workplace.scenarios_folder))
    clips: dict[str, Clip] = {}
    for store in stores:
        here = [task for task in tasks if task.item_id in store]
        shown = _shown(context, round_, store, here)
        for task, row in zip(here, store.rows_of([task.item_id for task in here]), strict=True):
            drive, scenario = shown.get(task.item_id), store[row]
            event = detected_event(task.for_class, task.score)
            shown_to = _whole(context, scenario) if drive is None else _event(context, scenario, drive, event)
            clips[task.task_id] = Clip(shown_to)
    for task in tasks:
        if task.task_id not in clips:
            raise why_lost(task.item_id, damaged)
    return clips


def _shown(context: LoopContext, round_: Round, store: Scenarios, tasks: Sequence[LabelTask]) -> dict[str, Drive]:
    """The drives in which the events of tasks came about, by scenario."""
    events = {task.item_id: detected_event(task.for_class, task.score) for task in tasks}
    wanted = [item_id for item_id, event in events.items() if event]
    if not wanted:
        return {}
    model = round_.spec.policy_model
    with context.catalog.transaction() as tx:
        weights_hash = policy_named(tx, round_.ensemble_id or model.policy_id).weights_hash
        scenes = [suite_scenario(each) for each in scenarios_named(tx, wanted).values()]
    drivers = read_drivers(context.blobs, weights_hash)
    return drives_showing(drivers, model, store, {scene: events[scene.scenario_id] for scene in scenes})


def _event(context: LoopContext, scenario: Scenario, drive: Drive, event: str) -> BlobRef:
    frames = clip_frames(scenario, [Side("a driver", drive, event, reactive=True)], recorded=True)
    return _kept(context, frames, every=EVENT_EVERY)


def _whole(context: LoopContext, scenario: Scenario) -> BlobRef:
    recording = recording_of(scenario, name="", tags=())
    view = view_of(recording, span_m=SPAN_M, pixels=PIXELS)
    ground = ground_picture(scenario.ground, view)
    return _kept(context, rollout_frames(recording, view=view, every=EVERY, ground=ground), every=EVERY)


def _kept(context: LoopContext, frames: Sequence[Image.Image], *, every: int) -> BlobRef:
    first, *later = (frame.quantize(COLOURS) for frame in frames)
    sink = BytesIO()
    first.save(sink, "PNG", save_all=True, append_images=later, duration=round(1000 * STEP_S * every), loop=0)
    return context.blobs.put(sink.getvalue(), media_type="image/png")
