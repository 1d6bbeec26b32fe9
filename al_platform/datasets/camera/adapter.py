"""Adapter `camera`: an expert drives through generated traffic, and its camera's frames are the data set."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from al_platform.datasets.base import AdapterRequest, DatasetAdapter, SourceFrame, SourceLabel
from al_platform.datasets.images import encode_mask
from al_platform.datasets.options import number_between, refuse_unknown_options, whole_number
from al_platform.datasets.synthetic.sessions import choose_test_drives
from al_platform.domain.ingest import BrokenSource
from al_platform.errors import InvalidInput

DATASET = "camera"
OPTIONS = ("scenes", "frames", "size", "seed", "light", "rain", "test_share")
LIGHTS = ("day", "dusk", "night")
CLASSES = ("vehicle", "pedestrian", "cyclist", "traffic-light")
MASK_VALUES = {0: "background", 1: "other", **{2 + place: name for place, name in enumerate(CLASSES)}}
STEPS = 151
STEP_S = 0.2
JPEG_QUALITY = 90
_CELL = 16
_CONDITIONS = 1


@dataclass(frozen=True)
class CameraFleet:
    """Drives through scenes 0 to `scenes` - 1 of a seed, frames evenly over the 30 s of each."""

    scenes: int
    frames: int
    """Of each scene."""
    size: tuple[int, int]
    """Width and height, pixels."""
    seed: int
    light: Mapping[str, float]
    """Weight of each time of day."""
    rain: float
    """Share of the scenes in which it rains."""
    test_share: float

    def count(self) -> int:
        """Give the number of frames."""
        return self.scenes * self.frames

    def read(self) -> Iterator[SourceFrame | BrokenSource]:
        """Drive and render scene by scene; the frames of one that does not come about are broken."""
        test = choose_test_drives(self.seed, self.scenes, share=self.test_share)
        for number in range(self.scenes):
            yield from self._drive(number, split="test" if number in test else "pool")

    def _drive(self, number: int, *, split: str) -> Iterator[SourceFrame | BrokenSource]:
        from al_platform.datasets.camera import drives  # noqa: PLC0415  it needs jax, the table of adapters does not

        session_id = f"{DATASET}_{self.seed}_{number:04d}"
        steps = [int(step) for step in np.linspace(0, STEPS - 1, self.frames).round()]
        try:
            drive = drives.driven(self.seed, number)
        except drives.NoScene as failed:
            yield from (BrokenSource(f"{session_id} frame {step}", str(failed)) for step in steps)
            return
        time_of_day, rains = self.conditions(number)
        road_type, *hard = drive.tags
        for seen in drives.seen_on(drive, steps, size=self.size, time_of_day=time_of_day, rains=rains):
            yield SourceFrame(
                dataset=DATASET,
                session_id=session_id,
                frame_number=seen.step,
                image=_jpeg(Image.fromarray(seen.picture)),
                timestamp_s=round(seen.step * STEP_S, 3),
                tags={
                    "split": split,
                    "time_of_day": time_of_day,
                    "weather": "rain" if rains else "clear",
                    "road_type": road_type,
                    "situation": hard[0] if hard else "ordinary",
                },
                label=SourceLabel(CLASSES, encode_mask(seen.mask), MASK_VALUES),
                origin=f"{session_id} frame {seen.step}",
            )

    def conditions(self, number: int) -> tuple[str, bool]:
        """The time of day of a scene, and whether it rains."""
        generator = np.random.default_rng((self.seed, number, _CONDITIONS))
        weights = np.array(list(self.light.values()))
        return str(generator.choice(list(self.light), p=weights / weights.sum())), bool(generator.random() < self.rain)


def camera_adapter(request: AdapterRequest) -> DatasetAdapter:
    """Open the cameras of the virtual fleet: JPEG frames with exact masks of `CLASSES`; of a traffic light its lamps.

    Options: `scenes` (default 40), each a session of `frames` (default 30, at most 151) spread over 30 s; `size`
    WIDTHxHEIGHT in multiples of 16 pixels (default 256x128); `seed` (default 0); `light`, the weights of day, dusk
    and night (default day:6,dusk:2,night:2); `rain` in [0, 1), the share of scenes with rain (default 0.25);
    `test_share` in [0, 1) of the scenes that carry the tag split = test instead of pool (default 0.25).
    Further tags: time_of_day, weather, road_type, and situation, which names what is hard in a scene.
    Raises: InvalidInput for a path, an unknown option or a value out of range.
    """
    refuse_unknown_options(request, adapter=DATASET, accepted=OPTIONS)
    if request.path:
        raise InvalidInput(f"path {request.path}: the {DATASET} adapter reads no files, leave the path out")
    frames = whole_number(request, "frames", default=30, minimum=1)
    if frames > STEPS:
        raise InvalidInput(f"frames {frames}: a scene has {STEPS} steps, ask for at most so many")
    return CameraFleet(
        scenes=whole_number(request, "scenes", default=40, minimum=1),
        frames=frames,
        size=_size(request.options.get("size", "256x128")),
        seed=whole_number(request, "seed", default=0, minimum=0),
        light=_light(request.options.get("light", "day:6,dusk:2,night:2")),
        rain=number_between(request, "rain", default=0.25, low=0.0, high=1.0),
        test_share=number_between(request, "test_share", default=0.25, low=0.0, high=1.0),
    )


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.strip().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise InvalidInput(f"size {text!r}: must be WIDTHxHEIGHT, such as 256x128")
    size = int(width), int(height)
    if any(side % _CELL or not _CELL <= side <= 2048 for side in size):
        raise InvalidInput(f"size {text}: both sides must be multiples of {_CELL} from {_CELL} to 2048 pixels")
    return size


def _light(text: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for part in text.split(","):
        name, _, weight = part.strip().partition(":")
        if name not in LIGHTS or name in weights or not weight.isdecimal():
            raise InvalidInput(f"light {text!r}: must be NAME:WEIGHT of {', '.join(LIGHTS)}, such as day:3,night:1")
        weights[name] = float(weight)
    if not sum(weights.values()):
        raise InvalidInput(f"light {text!r}: all weights are 0; give one of them more")
    return weights


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
