"""A home of many small frames, for rounds of thousands of tasks."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from al_platform.platform.data import ingest_dataset
from al_platform.platform.home import open_platform
from tests.fleet import settings_of

FRAMES, SESSION_FRAMES, TASKS = 2_100, 100, 2_000
WIDTH, HEIGHT = 32, 32
ROUND = {
    "pool": "dataset=volume",
    "targets": ["person"],
    "members": 2,
    "image": {"width": 192, "height": 128, "cell": 16},
    "start": 20,
    "budget": {"frames": TASKS},
    "strategy": {"name": "random"},
    "settings": {"steps": 50, "projection": 16, "hidden": 8},
}


def make_home(home: Path, source: Path) -> None:
    """Ingest 2,100 frames of noise, a person in every second one."""
    draw = np.random.default_rng(0)
    source.mkdir()
    images, annotations = [], []
    for number in range(FRAMES):
        name = f"drive{number // SESSION_FRAMES:02d}_{number % SESSION_FRAMES:04d}.png"
        Image.fromarray(draw.integers(0, 255, (HEIGHT, WIDTH, 3), np.uint8)).save(source / name)
        session = f"drive{number // SESSION_FRAMES:02d}"
        images.append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT, "session_id": session})
        if number % 2:
            annotations.append({"id": number, "image_id": number, "category_id": 1, "bbox": [4, 4, 16, 16]})
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "person"}]}
    (source / "boxes.json").write_text(json.dumps(content))
    with open_platform(settings_of(home)) as platform:
        report = ingest_dataset(platform, "coco", str(source / "boxes.json"), {"dataset": "volume"})
        assert report.added == FRAMES
        assert not report.broken
