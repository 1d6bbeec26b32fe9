"""Pictures of scenarios for pages: each is drawn once and kept in the home's cache, by what it shows."""

import io
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from al_platform.domain.scenarios import ScenarioReference
from al_platform.errors import InvalidInput
from al_platform.platform.home import Platform
from al_platform.platform.pictures import Picture
from al_platform.platform.scenarios import scenario
from al_platform.platform.scene_pictures import camera_frames, frames_from_above, seen_from_above, stored
from al_platform.storage.files import NamedFiles
from sim.camera import CameraSpec
from sim.pictures import save_gif
from sim.scenario import Scenario
from sim.scenario.record import STEP_S

STYLE = "scene-1"
"""Names how scenarios are drawn; raised whenever they are drawn differently."""
THUMBNAIL_PIXELS = 240
_SPAN_M, _CLIP_PIXELS, _CLIP_EVERY = 120.0, 360, 3
_ONE_AT_A_TIME = threading.Lock()
"""Drawing holds the interpreter: whoever asks for something else waits for one picture at most."""


@dataclass(frozen=True)
class _Kind:
    suffix: str
    media_type: str
    draw: Callable[[Scenario, ScenarioReference], bytes]


def scene_picture(platform: Platform, scenario_id: str, kind: str) -> Picture:
    """Give a picture of a scenario: `above` its middle step, `clip` all of it moving, `camera` what its ego sees.

    Raises: NotFound for an unknown scenario or one that the store lacks; InvalidInput for another kind;
        StorageUnavailable when the disk is full or read-only.
    """
    if kind not in KINDS:
        raise InvalidInput(f"picture {kind}: known are {', '.join(KINDS)}")
    reference, known = scenario(platform, scenario_id), KINDS[kind]
    kept = NamedFiles(str(platform.settings.cache_folder / "scenes"))
    name = f"{STYLE}/{kind}/{scenario_id}.{known.suffix}"
    version = scene_version(scenario_id, kind)
    if kept.size(name) is None:
        with _ONE_AT_A_TIME:
            if kept.size(name) is None:
                kept.write(name, known.draw(stored(platform, reference), reference))
    return Picture(kept.read(name), known.media_type, version)


def scene_version(scenario_id: str, kind: str) -> str:
    """Name the bytes of a picture of a scenario."""
    return f"{scenario_id}-{kind}-{STYLE}"


def _above(scene: Scenario, reference: ScenarioReference) -> bytes:
    file = io.BytesIO()
    middle = reference.steps // 2
    picture = seen_from_above(scene, reference, step=middle, span_m=_SPAN_M, pixels=THUMBNAIL_PIXELS)
    picture.save(file, format="PNG")
    return file.getvalue()


def _clip(scene: Scenario, reference: ScenarioReference) -> bytes:
    file = io.BytesIO()
    frames = frames_from_above(scene, reference, every=_CLIP_EVERY, span_m=_SPAN_M, pixels=_CLIP_PIXELS)
    save_gif(frames, file, step_s=STEP_S * _CLIP_EVERY)
    return file.getvalue()


def _camera(scene: Scenario, reference: ScenarioReference) -> bytes:
    file = io.BytesIO()
    camera_frames(scene, [reference.steps // 2], CameraSpec())[0].save(file, format="PNG")
    return file.getvalue()


KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "above": _Kind("png", "image/png", _above),
        "clip": _Kind("gif", "image/gif", _clip),
        "camera": _Kind("png", "image/png", _camera),
    }
)
