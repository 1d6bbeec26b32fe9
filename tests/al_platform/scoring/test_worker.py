"""A scorer: every row once, the same bytes whoever computes them, nothing computed twice that is there."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from al_platform.domain.progress import Progress
from al_platform.domain.scores import Share
from al_platform.errors import InvalidInput, NonFiniteScore, NotFound
from al_platform.models.decode import decode_image
from al_platform.models.families import family_named
from al_platform.models.scoring import make_scorer
from al_platform.models.weights import weights_from_bytes
from al_platform.scoring import job as jobs
from al_platform.scoring.markers import finished_marker, finished_markers, read_marker
from al_platform.scoring.measures import MEASURES
from al_platform.scoring.read import dense_scores, scores_of_row
from al_platform.scoring.shards import SCHEMA
from al_platform.scoring.worker import claim_order
from tests.al_platform.scoring.small import FRAMES, MODEL, PICTURES, SHARD, SmallPool, picture, small_pool


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallPool]:
    pool = small_pool(tmp_path_factory.mktemp("scored"))
    pool.score()
    yield pool


def test_every_row_has_the_measures_that_the_model_gives_its_picture(scored: SmallPool) -> None:
    files = scored.place.files
    dense = dense_scores(files, scored.job, finished_markers(files, scored.job).values(), MODEL.classes[::-1])
    assert dense.scored.all()
    weights = weights_from_bytes(family_named("unet"), MODEL, scored.place.blobs.get(scored.job.weights_hash))
    pictures = np.stack([decode_image(picture(number), MODEL.grid) for number in range(PICTURES)])
    wanted = make_scorer(family_named("unet"), MODEL)(weights, jnp.ones(2), jnp.asarray(pictures))
    for name, values in dense.measures.items():
        expected = np.asarray(getattr(wanted, name))[np.arange(FRAMES) % PICTURES][:, ::-1]
        np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-7)
    assert dense.measures.mi_mean.max() > 0


def test_files_are_sorted_by_score_then_row_and_say_their_extremes(scored: SmallPool) -> None:
    rows_seen: list[int] = []
    for shard in range(scored.job.shards):
        marker = read_marker(scored.place.files, scored.job, shard)
        for file in marker.files:
            table = pq.read_table(pa.BufferReader(scored.place.files.read(file.path)))
            assert table.schema.equals(SCHEMA)
            scores, rows = table["mi_mean"].to_numpy(), table["row"].to_numpy()
            np.testing.assert_array_equal(np.lexsort((rows, -scores)), np.arange(len(rows)))
            assert (file.minimum, file.maximum, file.rows) == (scores.min(), scores.max(), len(rows))
            np.testing.assert_array_equal(table["session"].to_numpy(), rows // 20)
            clocks = [None if row % 3 else row / 10 for row in rows]
            assert table["timestamp_s"].to_pylist() == clocks
        rows_seen += rows.tolist()
    assert sorted(rows_seen) == list(range(FRAMES))


def test_two_scorers_with_caches_of_their_own_give_the_same_bytes_as_one(scored: SmallPool, tmp_path: Path) -> None:
    pool = small_pool(tmp_path)
    assert pool.job == scored.job
    half = [shard for shard in range(pool.job.shards) if shard % 2]
    pool.score(Share(2, 2))
    assert pool.contents() == scored.contents()
    for shard in half:
        Path(pool.place.files.path(pool.job.marker_name(shard))).unlink()  # as if its owner died before the marker
    pool.score(Share(1, 2))
    assert pool.contents() == scored.contents()
    assert len(finished_markers(pool.place.files, pool.job)) == pool.job.shards


def test_what_is_finished_is_not_computed_again(scored: SmallPool) -> None:
    heard: list[Progress] = []
    known = read_marker(scored.place.files, scored.job, 0)
    scored.score(report=heard.append)
    assert [(each.done, each.total) for each in heard] == [(FRAMES, FRAMES)]
    assert read_marker(scored.place.files, scored.job, 0) == known


def test_a_shard_of_which_a_file_is_gone_is_computed_again_to_the_same_bytes(tmp_path: Path) -> None:
    pool = small_pool(tmp_path)
    pool.score()
    whole = pool.contents()
    gone = pool.job.file_name(2, 1)
    Path(pool.place.files.path(gone)).unlink()
    assert finished_marker(pool.place.files, pool.job, 2) is None
    pool.score()
    assert pool.contents() == whole


def test_a_frame_that_cannot_be_read_is_named_and_has_no_row(tmp_path: Path) -> None:
    pool = small_pool(tmp_path, broken=(3, 5))
    pool.score()
    markers = finished_markers(pool.place.files, pool.job)
    lost = [item for marker in markers.values() for item in marker.unreadable]
    wanted = [row for row in range(FRAMES) if row % PICTURES in (3, 5)]
    assert [(item.row, item.item_id) for item in lost] == [(row, f"frm_{row}") for row in wanted]
    assert {item.reason for item in lost if item.row % PICTURES == 3} == {lost[0].reason}
    assert "not a readable JPEG or PNG image" in lost[0].reason
    dense = dense_scores(pool.place.files, pool.job, markers.values(), MODEL.classes)
    np.testing.assert_array_equal(np.flatnonzero(~dense.scored), wanted)
    assert scores_of_row(pool.place.files, pool.job, 3) is None
    scores = scores_of_row(pool.place.files, pool.job, 4)
    assert scores is not None
    assert scores["it's"] == {name: getattr(dense.measures, name)[4, 1] for name in MEASURES}


def test_a_score_that_is_no_number_stops_the_scorer_and_leaves_no_marker(tmp_path: Path) -> None:
    pool = small_pool(tmp_path, weights=float("nan"))
    with pytest.raises(NonFiniteScore, match=r"mi_sum of frame frm_0 for class person is nan: .* nothing was selected"):
        pool.score()
    assert finished_markers(pool.place.files, pool.job) == {}


def test_a_job_of_another_formula_is_left_to_the_version_that_began_it(scored: SmallPool) -> None:
    other = replace(scored, job=replace(scored.job, formula="bernoulli-mi/0"))
    with pytest.raises(InvalidInput, match="of formula bernoulli-mi/0, this version computes"):
        other.score()


def test_a_scorer_finds_its_job_by_its_id_alone(scored: SmallPool) -> None:
    assert jobs.read_job(scored.place.files, scored.job.score_id) == scored.job
    with pytest.raises(NotFound, match="scores scr_x: no such job"):
        jobs.read_job(scored.place.files, "scr_x")


@pytest.mark.parametrize(("shards", "scorers"), [(1, 1), (7, 3), (2, 5), (32, 4)])
def test_every_scorer_comes_to_every_shard_and_own_shares_are_apart(shards: int, scorers: int) -> None:
    orders = [claim_order(shards, Share(number, scorers)) for number in range(1, scorers + 1)]
    for order in orders:
        assert sorted(order) == list(range(shards))
    own = [set(order[: len(range(index, shards, scorers))]) for index, order in enumerate(orders)]
    assert sum(map(len, own)) == shards == len(set().union(*own))


@pytest.mark.parametrize("frames", [1, 4096, 4097, 200_000, 2_000_000, 100_000_000])
def test_shards_are_neither_tiny_nor_huge(frames: int) -> None:
    size = jobs.shard_size(frames)
    assert jobs.SMALLEST_SHARD <= size <= jobs.LARGEST_SHARD
    assert -(-frames // size) == 1 or size * 31 <= max(frames, 31 * jobs.SMALLEST_SHARD) + 31


@pytest.mark.parametrize(("number", "of"), [(0, 1), (2, 1), (1, 0), (-1, 3)])
def test_a_share_that_is_none_is_refused(number: int, of: int) -> None:
    with pytest.raises(InvalidInput, match=rf"share {number}/{of}: write I/N"):
        Share(number, of)


def test_two_devices_give_the_numbers_of_one(scored: SmallPool, tmp_path: Path) -> None:
    pool = small_pool(tmp_path)
    script = (
        "import jax, sys; from pathlib import Path; assert jax.local_device_count() == 2;"
        "from tests.al_platform.scoring.small import small_pool; small_pool(Path(sys.argv[1])).score()"
    )
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    root = Path(__file__).parents[3]
    subprocess.run([sys.executable, "-W", "error", "-c", script, str(tmp_path)], check=True, cwd=root, env=environment)
    assert SHARD < FRAMES
    for name, content in pool.contents().items():
        found, wanted = (pq.read_table(pa.BufferReader(each)) for each in (content, scored.contents()[name]))
        for column in SCHEMA.names:
            np.testing.assert_array_equal(found[column].to_numpy(), wanted[column].to_numpy())
