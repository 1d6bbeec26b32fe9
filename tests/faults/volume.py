"""A home of many small frames, for rounds of thousands of tasks, and what must be true of it after such a round."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from al_platform.catalog.datasets import version_items
from al_platform.client import RoundRecord
from al_platform.platform.data import ingest_dataset
from al_platform.platform.home import open_platform
from al_platform.platform.upkeep import check_catalog
from tests.fleet import contents, settings_of

FRAMES, SESSION_FRAMES, TASKS = 2_100, 100, 2_000
WIDTH, HEIGHT = 32, 32
START = 20
ROUND = {
    "pool": "dataset=volume",
    "targets": ["person"],
    "members": 2,
    "image": {"width": 192, "height": 128, "cell": 16},
    "start": START,
    "budget": {"frames": TASKS},
    "strategy": {"name": "random"},
    "settings": {"steps": 50, "projection": 16, "hidden": 8},
}


def make_home(home: Path, source: Path, *, frames: int = FRAMES) -> None:
    """Ingest frames of noise, a person in every second one."""
    draw = np.random.default_rng(0)
    source.mkdir()
    images, annotations = [], []
    for number in range(frames):
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
        assert report.added == frames
        assert not report.broken


def assert_whole(home: Path, ended: RoundRecord, *, tasks: int) -> None:
    """Every task was picked once, answered once and appended once; nobody has the home open."""
    with open_platform(settings_of(home)) as platform:
        rows = contents(platform)
        with platform.catalog.transaction() as tx:
            items = version_items(tx, platform.blobs, ended.dataset_version_id or "")
        assert list(check_catalog(platform)) == []
    task_ids = {row["task_id"] for row in rows["tasks"]}
    assert len(rows["tasks"]) == len({row["item_id"] for row in rows["tasks"]}) == tasks
    assert {row["state"] for row in rows["tasks"]} == {"labeled"}
    assert sorted(row["task_id"] for row in rows["task_labels"]) == sorted(task_ids)
    assert len(rows["annotations"]) == tasks + START
    assert len({item.item_id for item in items}) == len(items) == tasks + START
    assert [len(rows[name]) for name in ("rounds", "round_requests", "round_runs", "ensembles")] == [1, 1, 1, 1]
    assert sorted(row["step"] for row in rows["step_runs"]) == sorted(
        ["train", "score", "select", "send", "collect", "append"]
    )
