"""A pool in Azure storage scored by processes that share it and nothing else, one of them killed."""

import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from al_platform.scoring.fetch import local_shards
from al_platform.scoring.local import PROGRAM
from al_platform.scoring.markers import finished_markers
from al_platform.scoring.read import dense_scores
from tests.al_platform.scoring.small import MODEL, SmallPool, small_pool

pytestmark = [
    pytest.mark.story,
    # aiohttp's advice on bytes above 1 MiB, which the Azure library sends as they are on a loop that has nothing else
    pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning"),
]
FRAMES = 1_500
BROKEN = 7
_PATIENCE_S = 120.0


def test_a_scorer_that_was_killed_is_taken_up_by_another_with_the_same_bytes(azure_url: str, tmp_path: Path) -> None:
    pool = small_pool(tmp_path, frames=FRAMES, broken=[BROKEN], storage_url=azure_url)
    alone = small_pool(tmp_path / "alone", frames=FRAMES, broken=[BROKEN])
    assert pool.job == alone.job
    with scorer(pool, tmp_path / "killed") as process:
        wait_for_a_marker(pool, process)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    with scorer(pool, tmp_path / "second") as process:
        assert process.wait(_PATIENCE_S) == 0
    alone.score()
    assert pool.contents() == alone.contents()
    assert_read_back(pool, alone, tmp_path / "fetched")


def assert_read_back(pool: SmallPool, alone: SmallPool, folder: Path) -> None:
    """Markers, dense scores and the fetched files are those of a folder of this machine."""
    markers = finished_markers(pool.place.files, pool.job)
    assert len(markers) == pool.job.shards
    lost = {item.item_id for marker in markers.values() for item in marker.unreadable}
    assert lost == {f"frm_{row}" for row in range(BROKEN, FRAMES, len(pool.pictures))}
    scores = [
        dense_scores(each.place.files, each.job, finished_markers(each.place.files, each.job).values(), MODEL.classes)
        for each in (pool, alone)
    ]
    np.testing.assert_array_equal(scores[0].measures.mi_mean, scores[1].measures.mi_mean)
    fetched = local_shards(pool.place.files, markers.values(), MODEL.classes, folder=folder)
    assert [len(paths) for paths in fetched] == [pool.job.shards] * len(MODEL.classes)
    assert all(Path(path).parent == folder for paths in fetched for path in paths)


def scorer(pool: SmallPool, cache: Path) -> "subprocess.Popen[bytes]":
    """`alp scorer` with a cache of its own, which finds everything else in the storage."""
    options = ("--storage", pool.place.files.url, "--cache", str(cache))
    return subprocess.Popen([*PROGRAM, "scorer", pool.job.score_id, *options], stdout=subprocess.DEVNULL)


def wait_for_a_marker(pool: SmallPool, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not finished_markers(pool.place.files, pool.job):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
