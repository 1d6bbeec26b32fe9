"""A fleet's pool scored by three processes, one of them killed: nothing lost, nothing doubled, nothing different.

The 200,000 frames show the fleet's few pictures again and again, on drives of their own: pictures are decoded and
encoded once by each process, the heads run for every frame.
"""

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from al_platform.catalog.scores import shards_of
from al_platform.domain.progress import Progress, silent
from al_platform.domain.rounds import Budget, Round, RoundSpec, RoundState, StrategySpec
from al_platform.domain.scores import ScoringJob, Share
from al_platform.loop.rounds import run_round, submit_round
from al_platform.loop.scores import job_of, place_of, pool_scores, score_pool, uncertainty_of
from al_platform.loop.steps import train_step
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context, prepare_round, round_details
from al_platform.scoring.job import make_job, write_job
from al_platform.scoring.local import PROGRAM
from al_platform.scoring.place import ScoringPlace
from al_platform.scoring.worker import run_scorer
from al_platform.storage.files import NamedFiles
from al_platform.storage.pools import SCHEMA, read_pool, write_pool
from al_platform.storage.records import RecordCaches
from tests.fleet import CLASSES, MODEL, POOL, TARGETS, contents, round_spec

pytestmark = pytest.mark.story
FRAMES, SCORERS, BUDGET = 200_000, 3, 7
FLEET = "dataset=fleet"


def test_three_scorers_of_which_one_is_killed_come_to_what_one_alone_finds(platform: Platform, tmp_path: Path) -> None:
    context = replace(loop_context(platform), report=silent)
    round_, job = trained(platform, fleet_round(platform, FRAMES))
    files = place_of(context).files
    write_job(files, job)
    with ExitStack() as stack:
        scorers = [
            stack.enter_context(running(job, platform, tmp_path / str(number), f"{number}/{SCORERS}"))
            for number in range(1, SCORERS + 1)
        ]
        while len(marker_names(files, job)) < SCORERS:
            assert all(scorer.poll() is None for scorer in scorers)
            time.sleep(0.02)
        scorers[1].send_signal(signal.SIGKILL)
        assert [scorer.wait() for scorer in scorers] == [0, -signal.SIGKILL, 0]
    assert len(marker_names(files, job)) == job.shards == 32
    parquet = [name for name in files.names(job.folder) if name.endswith(".parquet")]
    assert len(parquet) == job.shards * len(CLASSES)
    assert_as_alone(platform, job, tmp_path / "alone")
    heard: list[Progress] = []
    finished = run_round(replace(context, report=heard.append), round_)
    assert (finished.state, finished.score_id) == (RoundState.APPENDED, job.score_id)
    assert {each.done for each in heard if each.stage == "score"} <= {FRAMES}  # the round found all of it there
    assert_nothing_lost_or_doubled(platform, finished, job)


def test_a_round_that_starts_scorers_of_its_own_ends_with_them(platform: Platform) -> None:
    context = loop_context(platform, scorers=SCORERS)
    _, job = trained(platform, fleet_round(platform, 9_000))
    markers = score_pool(context, job).markers
    assert [marker.rows for marker in markers] == [4096, 4096, 808]
    assert score_pool(context, job).markers == markers


def assert_as_alone(platform: Platform, job: ScoringJob, folder: Path) -> None:
    """The first two shards are those of one undisturbed process that scores their rows alone."""
    rows = 2 * job.frames_per_shard
    part = read_pool(platform.blobs, job.pool_manifest_hash, SCHEMA.names, rows=rows).drop_columns(["session"])
    alone = make_job(
        job.model,
        encoder_hash=job.encoder_hash,
        weights_hash=job.weights_hash,
        temperatures=job.temperatures,
        pool_manifest_hash=write_pool(platform.blobs, part),
        frames=rows,
        frames_per_shard=job.frames_per_shard,
    )
    place = ScoringPlace(platform.blobs, RecordCaches(folder))
    run_scorer(place, alone, share=Share(), report=silent)
    for shard in range(2):
        for index in range(len(CLASSES)):
            found, wanted = (
                pq.read_table(pa.BufferReader(place.files.read(each.file_name(shard, index)))) for each in (job, alone)
            )
            assert found.equals(wanted)


def assert_nothing_lost_or_doubled(platform: Platform, round_: Round, job: ScoringJob) -> None:
    context = loop_context(platform)
    with platform.catalog.transaction() as tx:
        shards = shards_of(tx, job.score_id)
    assert len(shards) == job.shards * len(CLASSES)
    assert sum(shard.rows for shard in shards) == FRAMES * len(CLASSES)
    (score_set,) = contents(platform)["score_sets"]
    assert (score_set["score_id"], score_set["frames"]) == (job.score_id, FRAMES)
    scores = pool_scores(context, job.score_id, TARGETS)
    assert scores.scored.all()
    frames = read_pool(platform.blobs, job.pool_manifest_hash, ["item_id", "image_hash"])
    _, first, same = np.unique(frames["image_hash"].to_numpy(), return_index=True, return_inverse=True)
    np.testing.assert_array_equal(scores.measures.mi_mean, scores.measures.mi_mean[first][same])
    details = round_details(platform, round_.round_id)
    picks = details.selections
    assert len({pick.item_id for pick in picks}) == BUDGET
    (select,) = (step for step in details.steps if step.step == "select")
    assert BUDGET <= int(select.outputs["score_rows_read"]) < FRAMES * len(TARGETS) / 4  # the heads of the shards alone
    (seen,) = uncertainty_of(context, picks[0].item_id)
    row = frames["item_id"].to_pylist().index(picks[0].item_id)
    wanted = dict(zip(TARGETS, scores.measures.mi_mean[row].tolist(), strict=True))
    assert {name: seen.measures[name]["mi_mean"] for name in TARGETS} == wanted


def fleet_round(platform: Platform, frames: int) -> RoundSpec:
    """A round on a small start set of real labels, over frames that show the pool's pictures in turn."""
    version = round_spec(platform, test="").dataset_version_id
    with platform.catalog.transaction() as tx:
        tx.execute(
            "INSERT INTO frames SELECT shown.* EXCLUDE (place, places) REPLACE (printf('frm_fleet_%06d', number) AS "
            "frame_id, 'fleet' AS dataset, printf('fleet/drive_%04d', number // 500) AS session_id, number % 500 AS "
            "frame_number, number / 10.0 AS timestamp_s) FROM range(?) AS numbers(number) JOIN (SELECT frames.*, "
            "row_number() OVER (ORDER BY frame_id) - 1 AS place, count(*) OVER () AS places FROM frames JOIN tag_sets "
            "USING (tag_set) WHERE json_extract_string(tags, '/split') = ?) AS shown ON number % places = place",
            [frames, POOL.removeprefix("split=")],
        )
        tx.execute(
            "INSERT INTO sessions (session_id, dataset) SELECT DISTINCT session_id, dataset FROM frames "
            "WHERE dataset = 'fleet'"
        )
    wanted = RoundSpec(MODEL, version, "", TARGETS, Budget(BUDGET), StrategySpec("mi"))
    return prepare_round(platform, wanted, pool=FLEET, test="", start=1)


def trained(platform: Platform, spec: RoundSpec) -> tuple[Round, ScoringJob]:
    """The round with its ensemble, and the job of scoring its pool."""
    context = loop_context(platform)
    round_ = submit_round(context, spec)
    ensemble_id = train_step(context, round_).round.ensemble_id or ""
    with platform.catalog.transaction() as tx:
        return round_, job_of(tx, context, spec, ensemble_id)


@contextmanager
def running(job: ScoringJob, platform: Platform, cache: Path, share: str) -> Iterator[subprocess.Popen[bytes]]:
    """`alp scorer` with a cache of its own; killed at the end where it still runs."""
    options = ("--storage", platform.settings.storage_url, "--cache", str(cache), "--share", share)
    with subprocess.Popen([*PROGRAM, "scorer", job.score_id, *options], stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def marker_names(files: NamedFiles, job: ScoringJob) -> list[str]:
    return [name for name in files.names(job.folder) if name.endswith(".json") and name != "job.json"]
