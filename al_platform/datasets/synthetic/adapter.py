"""Adapter `synthetic`: the virtual fleet as a dataset."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from al_platform.datasets.base import AdapterRequest, DatasetAdapter, SourceFrame, SourceLabel
from al_platform.datasets.images import encode_mask
from al_platform.datasets.options import number_between, refuse_unknown_options, whole_number
from al_platform.datasets.synthetic.canvas import BACKGROUND, BICYCLE, CAR, PERSON
from al_platform.datasets.synthetic.render import render_frame
from al_platform.datasets.synthetic.sessions import FRAME_INTERVAL_S, Drive, choose_test_drives, plan_drive
from al_platform.domain.ingest import BrokenSource
from al_platform.errors import InvalidInput

DATASET = "synthetic"
OPTIONS = ("frames", "sessions", "seed", "test_share")
CLASSES = ("car", "person", "bicycle")
MASK_VALUES = {BACKGROUND: "background", CAR: "car", PERSON: "person", BICYCLE: "bicycle"}
JPEG_QUALITY = 90


@dataclass(frozen=True)
class VirtualFleet:
    """Rendered drives of consecutive frames, five a second. Equal settings give equal bytes."""

    frames: int
    sessions: int
    seed: int
    test_share: float

    def count(self) -> int:
        """Give the number of frames."""
        return self.frames

    def read(self) -> Iterator[SourceFrame | BrokenSource]:
        """Render drive by drive; the first drives have one frame more where they do not divide evenly."""
        test = choose_test_drives(self.seed, self.sessions, share=self.test_share)
        for session in range(self.sessions):
            drive = plan_drive(self.seed, session)
            share, longer = divmod(self.frames, self.sessions)
            for number in range(share + (session < longer)):
                yield self._frame(drive, number, split="test" if session in test else "pool")

    def _frame(self, drive: Drive, number: int, *, split: str) -> SourceFrame:
        rendered = render_frame(drive, number)
        session_id = f"synthetic_{self.seed}_{drive.number:04d}"
        return SourceFrame(
            dataset=DATASET,
            session_id=session_id,
            frame_number=number,
            image=_jpeg(Image.fromarray(rendered.picture)),
            timestamp_s=round(number * FRAME_INTERVAL_S, 3),
            tags={
                "split": split,
                "time_of_day": drive.condition.time_of_day,
                "weather": drive.condition.weather,
                "road_type": drive.street.road_type,
            },
            label=SourceLabel(CLASSES, encode_mask(rendered.mask), MASK_VALUES),
            origin=f"{session_id} frame {number}",
        )


def synthetic_adapter(request: AdapterRequest) -> DatasetAdapter:
    """Open the virtual fleet: 320 x 224 JPEG frames with exact masks of car, person and bicycle.

    Options: `frames` (default 600) in all, dealt evenly over `sessions` (default 60); `seed` (default 0);
    `test_share` in [0, 1) of the sessions, default 0.25, that carry the tag split = test instead of pool.
    A bicycle's mask includes its rider. Persons and bicycles are rare but on school and market streets, and
    posters, shop-window figures, bollards, mail boxes and bicycle racks look like them.
    Raises: InvalidInput for a path, an unknown option or a value out of range.
    """
    refuse_unknown_options(request, adapter=DATASET, accepted=OPTIONS)
    if request.path:
        raise InvalidInput(f"path {request.path}: the {DATASET} adapter reads no files, leave the path out")
    frames = whole_number(request, "frames", default=600, minimum=1)
    sessions = whole_number(request, "sessions", default=min(60, frames), minimum=1)
    if sessions > frames:
        raise InvalidInput(f"sessions {sessions}: at most one per frame, here {frames}")
    return VirtualFleet(
        frames=frames,
        sessions=sessions,
        seed=whole_number(request, "seed", default=0, minimum=0),
        test_share=number_between(request, "test_share", default=0.25, low=0.0, high=1.0),
    )


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format="JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
