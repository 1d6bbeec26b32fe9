"""Pictures of stored scenarios: from above, through the ego's camera, or as a recording for the Rerun viewer."""

from dataclasses import dataclass, replace
from pathlib import Path

import jax
import numpy as np
from PIL import Image

from al_platform.catalog.scenarios import scenario_named, scenarios_page
from al_platform.datasets.scenarios.store import stored_scenario
from al_platform.domain.paging import PageRequest
from al_platform.domain.scenarios import ScenarioReference
from al_platform.errors import InvalidInput
from al_platform.platform.home import Platform
from al_platform.platform.rerun_file import write_rerun
from sim.camera import CameraSpec, render_along
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
    scenario = stored(platform, reference)
    request.out.parent.mkdir(parents=True, exist_ok=True)
    if request.out.suffix == ".rrd":
        write_rerun(recording_of(scenario, name=reference.name, tags=reference.tags), request.out)
    elif request.camera is not None:
        _draw_camera(scenario, reference, request, request.camera)
    else:
        _draw_from_above(scenario, reference, request)
    return reference


def stored(platform: Platform, reference: ScenarioReference) -> Scenario:
    """Give the arrays of a scenario.

    Raises: NotFound for one that the store lacks.
    """
    return stored_scenario(platform.settings.scenarios_folder, reference.shard, reference.shard_row)


def seen_from_above(
    scenario: Scenario, reference: ScenarioReference, *, step: int, span_m: float, pixels: int
) -> Image.Image:
    """Give one step from above, around the ego."""
    recording = recording_of(scenario, name=reference.name, tags=reference.tags)
    x, y = recording.agents.position[recording.ego, step, :2].tolist()
    view = replace(view_of(recording, span_m=span_m, pixels=pixels), centre=(x, y))
    backdrop = Backdrop(recording, view, ground=ground_picture(scenario.ground, view))
    return draw_step(recording, step, backdrop=backdrop)


def frames_from_above(
    scenario: Scenario, reference: ScenarioReference, *, every: int, span_m: float, pixels: int
) -> list[Image.Image]:
    """Give every so many steps from above, around the middle of what the ego drove."""
    recording = recording_of(scenario, name=reference.name, tags=reference.tags)
    view = view_of(recording, span_m=span_m, pixels=pixels)
    return rollout_frames(recording, view=view, every=every, ground=ground_picture(scenario.ground, view))


def camera_frames(scenario: Scenario, steps: list[int], spec: CameraSpec) -> list[Image.Image]:
    """Give what the camera of the recorded ego sees at steps of a scenario."""
    frames = render_along(jax.device_put(scenario), steps, jax.random.key(0), spec=spec)
    return [Image.fromarray(np.asarray(frame.image)) for frame in frames]


def _reference(platform: Platform, which: str) -> ScenarioReference:
    with platform.catalog.transaction() as tx:
        if which.startswith("scn_"):
            return scenario_named(tx, which)
        found = scenarios_page(tx, which, PageRequest(1)).items
    if not found:
        raise InvalidInput(f"filter {which!r}: no scenario matches; `alp scenarios list` shows what there is")
    return found[0]


def _draw_from_above(scenario: Scenario, reference: ScenarioReference, request: PictureRequest) -> None:
    if request.out.suffix == ".gif":
        frames = frames_from_above(
            scenario, reference, every=request.every, span_m=request.span_m, pixels=request.pixels
        )
        save_gif(frames, request.out, step_s=STEP_S * request.every)
        return
    step = reference.steps // 2 if request.step is None else request.step
    seen_from_above(scenario, reference, step=step, span_m=request.span_m, pixels=request.pixels).save(request.out)


def _draw_camera(scenario: Scenario, reference: ScenarioReference, request: PictureRequest, spec: CameraSpec) -> None:
    if request.out.suffix == ".gif":
        frames = camera_frames(scenario, list(range(0, reference.steps, request.every)), spec)
        save_gif(frames, request.out, step_s=STEP_S * request.every)
    else:
        step = reference.steps // 2 if request.step is None else request.step
        camera_frames(scenario, [step], spec)[0].save(request.out)
