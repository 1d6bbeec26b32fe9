"""Training in a process of its own: killed or stopped it goes on from its checkpoint, to the very same ensemble."""

import os
import resource
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from al_platform.catalog.frames import frames_by_id
from al_platform.catalog.models import ensemble_named
from al_platform.catalog.tasks import tasks_of
from al_platform.domain.labels import CONTROL_CLASS
from al_platform.domain.models import GridSpec, ModelSpec
from al_platform.domain.progress import Progress, silent
from al_platform.errors import CorruptBlob, InvalidInput, JobFailed, Stopped, StorageUnavailable
from al_platform.loop.briefs import task_hinter
from al_platform.loop.context import LoopContext
from al_platform.loop.embeddings import frame_embeddings
from al_platform.loop.heatmaps import belief_of, heatmaps_of
from al_platform.loop.models import image_table, labelled_frames
from al_platform.loop.rounds import run_round, submit_round
from al_platform.loop.steps import train_step
from al_platform.loop.train import train_round
from al_platform.platform.home import Platform, open_platform
from al_platform.platform.jobs import PROGRAM
from al_platform.platform.rounds import loop_context
from al_platform.training.embedding import run_embedding
from tests.fleet import MODEL, contents, frames_of, round_spec, settings_of

pytestmark = pytest.mark.story
STEPS = 1000
UNSEEN: ModelSpec = replace(MODEL, grid=GridSpec(image_height=64, image_width=96, cell=16))
LONGER: ModelSpec = replace(MODEL, training=replace(MODEL.training, steps=STEPS))


def trainer(platform: Platform, *, checkpoint_every_s: float) -> LoopContext:
    """What rounds of a home work with, their state kept as often as that."""
    context = loop_context(platform)
    workplace = replace(context.workplace, checkpoint_every_s=checkpoint_every_s)
    return replace(context, place=replace(context.place, workplace=workplace))


def process_of(home: Path) -> int:
    """The process of the one job that runs in a home: what was started with its folder."""
    (folder,) = (home / "jobs").glob("*")
    mine = "\0".join((*PROGRAM, str(folder))).encode() + b"\0"
    (process,) = (path.parent.name for path in Path("/proc").glob("[0-9]*/cmdline") if _text(path) == mine)
    return int(process)


def _text(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # ended meanwhile


def weights_in(home: Path) -> list[str]:
    with open_platform(settings_of(home)) as platform:
        return [row["weights_hash"] for row in contents(platform)["ensembles"]]


@pytest.fixture(scope="module")
def unbroken(fleet_home: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The weights that LONGER comes to in this process, undisturbed."""
    home = Path(shutil.copytree(fleet_home, tmp_path_factory.mktemp("unbroken") / "home"))
    with open_platform(settings_of(home)) as platform:
        train_round(loop_context(platform), round_spec(platform, model=LONGER))
    return weights_in(home)


@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_a_training_that_ends_early_goes_on_from_its_checkpoint_and_comes_to_the_same(
    home: Path, unbroken: list[str], end: str
) -> None:
    reached: list[int] = []

    def ending(progress: Progress) -> None:
        if progress.stage != "train" or not progress.done or reached:
            return
        reached.append(progress.done)
        if end == "stopped":
            raise Stopped("enough")
        os.kill(process_of(home), signal.SIGKILL)

    heard: list[Progress] = []
    with open_platform(settings_of(home), compute="local") as platform:
        spec = round_spec(platform, model=LONGER)
        # one that is stopped keeps its state, however seldom it would have
        context = trainer(platform, checkpoint_every_s=0.0 if end == "killed" else 3600.0)
        with pytest.raises(Stopped if end == "stopped" else JobFailed):
            train_round(replace(context, report=ending), spec)
        outcome = train_round(replace(context, report=heard.append), spec)
    assert 0 < reached[0] < STEPS
    assert outcome.cost is not None
    trained = [progress.done for progress in heard if progress.stage == "train"]
    assert min(trained, default=STEPS) >= reached[0]
    assert weights_in(home) == unbroken
    assert not list((home / "runs").glob("*"))


def test_what_is_wrong_with_a_frame_is_told_as_in_this_process(home: Path) -> None:
    with open_platform(settings_of(home), compute="local") as platform:
        spec, context = round_spec(platform, test="", model=UNSEEN), loop_context(platform)
        _, frames, _ = labelled_frames(context, spec.dataset_version_id)
        for frame in frames.values():
            (home / "blobs" / frame.image.hash[:2] / frame.image.hash).unlink()
        with pytest.raises(InvalidInput, match=r"frame frm_\w+: cannot be read .*put its blob back, or leave it out"):
            train_round(context, spec)


def test_a_full_disk_ends_a_training_by_name_and_it_goes_on_when_there_is_room(home: Path) -> None:
    full: list[int] = []

    def fill(progress: Progress) -> None:
        if progress.stage == "train" and not full:
            full.append(process_of(home))
            resource.prlimit(full[0], resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))

    with open_platform(settings_of(home), compute="local") as platform:
        spec = round_spec(platform, test="", model=LONGER)
        with pytest.raises((StorageUnavailable, JobFailed), match=r"File too large|Run again"):
            train_round(replace(trainer(platform, checkpoint_every_s=0.0), report=fill), spec)
        assert not train_round(loop_context(platform), spec).cached


def test_what_an_ensemble_believes_of_frames_is_computed_once_by_a_job(platform: Platform) -> None:
    spec, heard = round_spec(platform, test=""), list[Progress]()
    context = replace(loop_context(platform), report=heard.append)
    ensemble_id = train_round(context, spec).ensemble_id
    with platform.catalog.transaction() as tx:
        ensemble = ensemble_named(tx, ensemble_id)
    frame_ids = frames_of(platform, "split=pool")[:7]
    heard.clear()
    belief, again = (belief_of(context, ensemble, frame_ids) for _ in range(2))
    assert [progress.done for progress in heard if progress.stage == "heatmaps"] == [0, 7]
    np.testing.assert_array_equal(belief.information, again.information)
    now = heatmaps_of(context, ensemble, pool_id=spec.pool_id, frame_ids=frame_ids)
    np.testing.assert_array_equal(belief.information, now)
    assert belief.probability.shape == now.shape
    assert 0.0 <= belief.probability.min() <= belief.probability.max() <= 1.0


def test_hints_of_a_round_come_from_one_job_however_many_are_asked_for_at_a_time(platform: Platform) -> None:
    heard: list[Progress] = []
    context = replace(loop_context(platform), report=heard.append)
    round_ = run_round(context, submit_round(context, round_spec(platform, "mi", control_share=0.4)))
    with platform.catalog.transaction() as tx:
        tasks = tasks_of(tx, round_.round_id)
    assert CONTROL_CLASS in {task.for_class for task in tasks}
    hints = [task_hinter(context)([task])[task.task_id] for task in tasks]
    assert [progress.done for progress in heard if progress.stage == "heatmaps"] == [0, len(tasks)]
    assert all(platform.blobs.has(hint.heatmap.hash) for hint in hints)


def test_many_embeddings_are_computed_by_a_job_and_are_those_that_this_process_computes(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Progress] = []
    context = replace(loop_context(platform), report=heard.append)
    round_ = train_step(context, submit_round(context, round_spec(platform, test=""))).round
    pool, cached = frames_of(platform, "split=pool"), platform.settings.cache_folder
    with platform.catalog.transaction() as tx:
        lost = frames_by_id(tx, pool[3:4])[pool[3]].image.hash
        frames = image_table(tx, pool)
    (platform.settings.home / "blobs" / lost[:2] / lost).unlink()
    shutil.rmtree(cached / "encoder")
    context.caches.forget()
    here = frame_embeddings(context, round_, frames, labelled=pool[:2])
    assert list(here.unreadable) == [pool[3]]
    assert not list((platform.settings.home / "blobs" / "embeddings").glob("*"))
    monkeypatch.setattr("al_platform.loop.embeddings._FEW", 2)
    for folder in ("embeddings", "encoder"):
        shutil.rmtree(cached / folder)
    context.caches.forget()
    heard.clear()
    there = frame_embeddings(context, round_, frames, labelled=pool[:2])
    assert [progress.done for progress in heard if progress.stage == "embed"] == [0]
    np.testing.assert_array_equal(here.pool, there.pool)
    np.testing.assert_array_equal(here.labelled, there.labelled)
    assert here.unreadable == there.unreadable
    (job,) = (platform.settings.home / "blobs" / "embeddings").glob("emb_*.json")
    job.write_text(job.read_text().replace("ens_", "ens_x"))
    with pytest.raises(CorruptBlob, match="was changed; delete it"):
        run_embedding(context.place, f"embeddings/{job.name}", report=silent)
