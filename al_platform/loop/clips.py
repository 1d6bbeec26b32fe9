"""Clips of scenarios, for people who are asked about them: PNGs that move, which every place of pictures can show."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from al_platform.datasets.scenarios.store import open_layouts, why_lost
from al_platform.domain.data import BlobRef
from al_platform.domain.labels import LabelTask
from al_platform.labeling.base import Clip
from al_platform.loop.context import LoopContext
from sim.pictures import ground_picture, recording_of, rollout_frames, view_of
from sim.scenario.record import STEP_S, Scenario

EVERY = 3
"""Steps from one picture of a clip to the next."""
SPAN_M, PIXELS = 100.0, 400
"""Side of the square that is seen from above."""
COLOURS = 128


def clips_of(context: LoopContext, tasks: Sequence[LabelTask]) -> dict[str, Clip]:
    """Draw the scenario of each task as a moving picture and store it; the same scene gives the same blob.

    Raises: NotFound for a scenario that the store has lost, CorruptBlob for one that is damaged there.
    """
    stores, damaged = open_layouts(Path(context.workplace.scenarios_folder))
    scenes: dict[str, Scenario] = {}
    for store in stores:
        there = [task.item_id for task in tasks if task.item_id in store]
        scenes.update({name: store[row] for name, row in zip(there, store.rows_of(there), strict=True)})
    for task in tasks:
        if task.item_id not in scenes:
            raise why_lost(task.item_id, damaged)
    return {task.task_id: Clip(_drawn(context, scenes[task.item_id])) for task in tasks}


def _drawn(context: LoopContext, scenario: Scenario) -> BlobRef:
    recording = recording_of(scenario, name="", tags=())
    view = view_of(recording, span_m=SPAN_M, pixels=PIXELS)
    ground = ground_picture(scenario.ground, view)
    first, *later = (
        frame.quantize(COLOURS) for frame in rollout_frames(recording, view=view, every=EVERY, ground=ground)
    )
    sink = BytesIO()
    first.save(sink, "PNG", save_all=True, append_images=later, duration=round(1000 * STEP_S * EVERY), loop=0)
    return context.blobs.put(sink.getvalue(), media_type="image/png")
