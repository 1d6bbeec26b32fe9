"""Pictures of stored scenarios: from above, through the ego's camera, or as a recording for the Rerun viewer."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from al_platform.catalog.scenarios import scenario_named, scenarios_page
from al_platform.datasets.scenarios.store import open_layouts, refuse_damaged
from al_platform.domain.paging import PageRequest
from al_platform.domain.scenarios import ScenarioReference
from al_platform.errors import InvalidInput, NotFound
from al_platform.platform.home import Platform
from al_platform.platform.rerun_file import write_rerun
from sim.camera import CameraSpec, render_camera
from sim.pictures import Backdrop, draw_step, ground_picture, recording_of, rollout_frames, save_gif, view_of
from sim.scenario.record import STEP_S, Scenario

SUFFIXES = (".png", ".gif", ".rrd")


@dataclass(frozen=True)
class PictureRequest:
    """What to draw of a scenario."""

    out: Path
    """A .png is one step, a .gif moves, an .rrd is for the Rerun viewer."""
    step: int | None = None
    """Of a .png; None for the middle of the recording."""
    every: int = 2
    """Of a .gif: 1 for all steps."""
    span_m: float = 120.0
    """Side of the square that is seen from above."""
    pixels: int = 480
    camera: CameraSpec | None = None
    """Draw what the ego's camera sees instead."""


def render_scenario(platform: Platform, which: str, request: PictureRequest) -> ScenarioReference:
    """Draw a scenario, by its id or as the first that a filter matches, into a file; gives which it was.

    Raises: NotFound for an unknown id, or one that the store lacks; InvalidInput for a filter that matches nothing,
        a step beyond the recording, or a file of another kind; MissingExtra for an .rrd without the extra `rerun`.
    """
    if request.out.suffix not in SUFFIXES:
        raise InvalidInput(f"file {request.out}: its name must end in one of {', '.join(SUFFIXES)}")
    if request.every < 1:
        raise InvalidInput(f"every {request.every}: must be at least 1")
    reference = _reference(platform, which)
    if request.step is not None and not 0 <= request.step < reference.steps:
        raise InvalidInput(
            f"step {request.step}: scenario {reference.scenario_id} has steps 0 to {reference.steps - 1}"
        )
    scenario = _stored(platform, reference.scenario_id)
    request.out.parent.mkdir(parents=True, exist_ok=True)
    if request.out.suffix == ".rrd":
        write_rerun(recording_of(scenario, name=reference.name, tags=reference.tags), request.out)
    elif request.camera is not None:
        _draw_camera(scenario, reference, request, request.camera)
    else:
        _draw_from_above(scenario, reference, request)
    return reference


def camera_frames(scenario: Scenario, steps: list[int], spec: CameraSpec) -> list[Image.Image]:
    """Give what the camera of the recorded ego sees at steps of a scenario."""
    placed = jax.device_put(scenario)
    see = jax.jit(partial(render_camera, spec=spec))
    poses = np.asarray(scenario.log.ego)[:, :3]
    frames = [see(placed, jnp.asarray(poses[step]), step, jax.random.key(step)) for step in steps]
    return [Image.fromarray(np.asarray(frame.image)) for frame in frames]


def _reference(platform: Platform, which: str) -> ScenarioReference:
    with platform.catalog.transaction() as tx:
        if which.startswith("scn_"):
            return scenario_named(tx, which)
        found = scenarios_page(tx, which, PageRequest(1)).items
    if not found:
        raise InvalidInput(f"filter {which!r}: no scenario matches; `alp scenarios list` shows what there is")
    return found[0]


def _stored(platform: Platform, scenario_id: str) -> Scenario:
    stores, damaged = open_layouts(platform.settings.scenarios_folder)
    for store in stores:
        if scenario_id in store.ids:
            return store[store.rows_of([scenario_id])[0]]
    refuse_damaged(scenario_id, damaged)
    raise NotFound(f"scenario {scenario_id}: not in the store; ingest or generate it again")


def _draw_from_above(scenario: Scenario, reference: ScenarioReference, request: PictureRequest) -> None:
    """One step around the ego, or all of them around the middle of what it drove."""
    recording = recording_of(scenario, name=reference.name, tags=reference.tags)
    view = view_of(recording, span_m=request.span_m, pixels=request.pixels)
    if request.out.suffix == ".gif":
        ground = ground_picture(scenario.ground, view)
        frames = rollout_frames(recording, view=view, every=request.every, ground=ground)
        save_gif(frames, request.out, step_s=STEP_S * request.every)
        return
    step = reference.steps // 2 if request.step is None else request.step
    x, y = recording.agents.position[recording.ego, step, :2].tolist()
    view = replace(view, centre=(x, y))
    backdrop = Backdrop(recording, view, ground=ground_picture(scenario.ground, view))
    draw_step(recording, step, backdrop=backdrop).save(request.out)


def _draw_camera(scenario: Scenario, reference: ScenarioReference, request: PictureRequest, spec: CameraSpec) -> None:
    if request.out.suffix == ".gif":
        frames = camera_frames(scenario, list(range(0, reference.steps, request.every)), spec)
        save_gif(frames, request.out, step_s=STEP_S * request.every)
    else:
        step = reference.steps // 2 if request.step is None else request.step
        camera_frames(scenario, [step], spec)[0].save(request.out)
