"""Trainings whose records do not fit into memory, and curricula: same round, other places and other shares."""

import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from al_platform.catalog.frames import frames_matching_among
from al_platform.domain.models import GridSpec, ModelSpec, TrainingSpec
from al_platform.domain.rounds import CurriculumShare, RoundSpec
from al_platform.errors import InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.loop.curriculum import curriculum_weights
from al_platform.loop.models import labelled_frames
from al_platform.loop.train import train_round
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context
from al_platform.platform.tiers import drop_tier, heat_tier
from al_platform.storage.cache import BlobCache
from tests.fleet import TARGETS, contents, frames_of, round_spec

pytestmark = pytest.mark.story

RECIPE = TrainingSpec(steps=2, batch_frames=4, learning_rate=3e-3, weight_decay=1e-3, evaluate_every=1)
UNET = ModelSpec(TARGETS, "unet", members=2, grid=GridSpec(64, 96, 16), training=RECIPE)


def weights_after(platform: Platform, spec: RoundSpec, *, memory_bytes: int) -> str:
    """The hash of the weights that a training comes to, trained anew whatever is known."""
    context = limited(platform, memory_bytes)
    shutil.rmtree(platform.settings.home / "blobs" / "trainings", ignore_errors=True)
    with platform.catalog.transaction() as tx:
        tx.execute("DELETE FROM ensembles")
    assert not train_round(context, spec).cached
    (row,) = contents(platform)["ensembles"]
    return str(row["weights_hash"])


def limited(platform: Platform, memory_bytes: int) -> LoopContext:
    """Rounds of a home whose records are streamed beyond so much memory."""
    context = loop_context(platform)
    workplace = replace(context.workplace, memory_bytes=memory_bytes)
    return replace(context, place=replace(context.place, workplace=workplace))


def test_streamed_records_train_the_same_ensemble(platform: Platform) -> None:
    spec = round_spec(platform, test="")
    in_memory, streamed = (weights_after(platform, spec, memory_bytes=limit) for limit in (10**9, 1))
    assert in_memory == streamed


def test_a_u_net_is_the_same_from_memory_archive_and_tiers(platform: Platform) -> None:
    spec = round_spec(platform, test="", model=UNET)
    found = {"memory": weights_after(platform, spec, memory_bytes=10**9)}
    found["archive"] = weights_after(platform, spec, memory_bytes=1)
    heated = heat_tier(platform, version_id=spec.dataset_version_id, image=(64, 96))
    assert heated.tier.frames == heated.tier.spec.wanted == 12
    found["tier"] = weights_after(platform, spec, memory_bytes=1)
    drop_tier(platform, heated.tier.spec.tier_id)
    heat_tier(platform, version_id=spec.dataset_version_id)
    found["files"] = weights_after(platform, spec, memory_bytes=1)
    assert set(found.values()) == {found["memory"]}


def test_streaming_a_picture_that_is_gone_names_its_frame(platform: Platform) -> None:
    spec = round_spec(platform, test="", model=UNET)
    context = limited(platform, memory_bytes=1)
    items, frames, _ = labelled_frames(context, spec.dataset_version_id)
    for item in items:
        image = frames[item.item_id].image.hash
        (platform.settings.home / "blobs" / image[:2] / image).unlink()
    with pytest.raises(InvalidInput, match=r"frame frm_\w+: cannot be read .*put its blob back, or leave it out"):
        train_round(context, spec)


def test_remote_pictures_are_read_through_the_cache(platform: Platform) -> None:
    remote = replace(platform, blobs=type(platform.blobs)("memory://remote"))
    assert loop_context(platform).place.images is platform.blobs
    assert isinstance(loop_context(remote).place.images, BlobCache)


def test_a_curriculum_weighs_the_frames_that_its_filters_match(platform: Platform) -> None:
    frame_ids = frames_of(platform, "split=pool")[:12]
    night = set(frames_of(platform, f"session_id={sessions_of(platform, frame_ids)[0]}")) & set(frame_ids)
    session = sessions_of(platform, frame_ids)[0]
    shares = (CurriculumShare(f"session_id={session}", 3.0), CurriculumShare("", 1.0))
    weigh = partial(
        curriculum_weights, loop_context(platform), version_id="dsv_never_read", among=frames_matching_among
    )
    weights = weigh(shares, frame_ids)
    assert weights is not None
    mine = np.array([frame_id in night for frame_id in frame_ids])
    assert weights[mine].sum() == pytest.approx(3.0 + mine.mean())
    assert weights[~mine].sum() == pytest.approx(1.0 - mine.mean())
    assert weigh((), frame_ids) is None


def sessions_of(platform: Platform, frame_ids: list[str]) -> list[str]:
    with platform.catalog.transaction() as tx:
        sql = "SELECT session_id FROM frames WHERE frame_id = ?"
        return [tx.execute(sql, [frame_id]).fetchall()[0][0] for frame_id in frame_ids]


def test_another_curriculum_is_another_ensemble_on_the_same_dataset_version(platform: Platform) -> None:
    plain = round_spec(platform, test="")
    context = loop_context(platform)
    items, frames, _ = labelled_frames(context, plain.dataset_version_id)
    session = frames[items[0].item_id].session_id
    steered = replace(plain, curriculum=(CurriculumShare(f"session_id={session}", 5.0), CurriculumShare("", 1.0)))
    one, other = (train_round(context, spec) for spec in (plain, steered))
    assert one.ensemble_id != other.ensemble_id
    hashes = {row["weights_hash"] for row in contents(platform)["ensembles"]}
    assert len(hashes) == 2
    assert len(contents(platform)["dataset_versions"]) == 1


def test_a_curriculum_that_matches_nothing_is_named(platform: Platform) -> None:
    steered = replace(round_spec(platform, test=""), curriculum=(CurriculumShare("session_id=nowhere", 1.0),))
    with pytest.raises(InvalidInput, match=r"curriculum 'session_id=nowhere': matches none of the 12 items"):
        train_round(loop_context(platform), steered)
