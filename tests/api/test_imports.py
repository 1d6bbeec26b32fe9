"""Frames come in while a home is served, from its inbox alone, and loops hear of them."""

import json
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from al_platform.client import Client, ServiceProblem
from al_platform.domain.access import Actor, Scope
from al_platform.domain.loops import LoopState
from al_platform.errors import InvalidInput
from al_platform.platform.importing import import_dataset, inbox_of
from al_platform.settings import Settings
from tests.api.conftest import ROUND, Served
from tests.api.test_loops import ended
from tests.fleet import contents

FRAMES = 3
PATIENCE_S = 240.0


def source_in(settings: Settings) -> str:
    """Put frames of a pool drive into the inbox, one of them broken; gives the name of their list."""
    draw = np.random.default_rng(0)
    folder = inbox_of(settings) / "week_47"
    folder.mkdir(parents=True)
    images = []
    for number in range(FRAMES):
        name = f"drive90_{number:04d}.png"
        Image.fromarray(draw.integers(0, 255, (128, 192, 3), np.uint8)).save(folder / name)
        images.append({"id": number, "file_name": name, "width": 192, "height": 128, "split": "pool"})
    images.append({"id": FRAMES, "file_name": "drive90_0099.png", "width": 192, "height": 128, "split": "pool"})
    content = {"images": images, "annotations": [], "categories": [{"id": 1, "name": "person"}]}
    (folder / "boxes.json").write_text(json.dumps(content))
    return "week_47/boxes.json"


def test_frames_come_in_once_and_what_cannot_be_used_is_named(served: Served) -> None:
    path = source_in(served.service.platform.settings)
    with served.client(Scope.OPERATOR) as client:
        before = client.count_frames().frames
        found = client.import_frames("coco", path, {"dataset": "week_47"})
        assert (found.read, found.added) == (FRAMES + 1, FRAMES)
        (broken,) = found.broken
        assert broken.origin.endswith("drive90_0099.png")
        assert client.import_frames("coco", path, {"dataset": "week_47"}).added == 0
        assert client.count_frames().frames == before + FRAMES
        assert client.count_frames("dataset=week_47,split=pool").frames == FRAMES
    logged = [row for row in contents(served.service.platform)["audit_log"] if row["action"] == "frames.imported"]
    assert [row["target"] for row in logged] == [path, path]


@pytest.mark.parametrize("path", ["../catalog.duckdb", "/etc", "week/../..", "http://127.0.0.1/x", "~", "a\x00b", "."])
def test_nothing_comes_in_from_outside_of_the_inbox(shared: Served, path: str) -> None:
    with shared.client(Scope.OPERATOR) as client:
        for adapter in ("coco", "masks"):
            with pytest.raises(ServiceProblem) as refused:
                client.import_frames(adapter, path)
            assert (refused.value.status, refused.value.code) == (422, "invalid-input")


def test_options_lead_nowhere_else_either(served: Served, tmp_path: Path) -> None:
    path = source_in(served.service.platform.settings)
    with served.client(Scope.OPERATOR) as client:
        for options in ({"images": str(tmp_path)}, {"images": "../blobs"}, {"manifest": "../../list.csv"}):
            with pytest.raises(ServiceProblem, match="must name a place below the inbox"):
                client.import_frames("coco", path, options)


def test_a_source_that_is_too_large_is_refused_before_anything_comes_in(served: Served) -> None:
    path, actor = source_in(served.service.platform.settings), Actor("test", Scope.OPERATOR)
    with pytest.raises(InvalidInput, match=f"{FRAMES + 1} items are more than the {FRAMES} of one import"):
        import_dataset(served.service, "coco", path, {"dataset": "week_47"}, actor=actor, most=FRAMES)
    with served.client() as client:
        assert client.count_frames("dataset=week_47").frames == 0


@pytest.mark.story
def test_a_loop_that_waits_for_its_pool_to_grow_goes_on_when_frames_come_in(served: Served) -> None:
    path = source_in(served.service.platform.settings)
    grows = {"round": {**ROUND, "test": "", "strategy": {"name": "random"}}, "name": "grows", "rounds": 2}
    with served.client(Scope.OPERATOR) as client:
        made = client.create_loop({**grows, "trigger": {"grown_by": FRAMES}}, idempotency_key="a")
        wait_for(client, made.loop_id, f"{FRAMES} more new frames are wanted in the pool")
        client.import_frames("coco", path, {"dataset": "week_47"})
        assert ended(client, made.loop_id, LoopState.FINISHED, LoopState.PAUSED).state is LoopState.FINISHED
        first, second = client.loop_rounds(made.loop_id)
        assert second.pool_frames == first.pool_frames + FRAMES


def wait_for(client: Client, loop_id: str, message: str) -> None:
    """Wait until a loop says so."""
    until = time.monotonic() + PATIENCE_S
    while not (loop := client.loop(loop_id)).message.startswith(message):
        assert loop.state is LoopState.ACTIVE
        assert time.monotonic() < until, loop
        time.sleep(0.2)
