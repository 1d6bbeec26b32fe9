"""Pictures that rot in storage: they leave the pool with their reason, and stop nothing."""

from pathlib import Path

import numpy as np
import pytest

from al_platform.domain.rounds import RoundState
from al_platform.errors import InvalidInput
from al_platform.platform.home import Platform
from al_platform.platform.rounds import round_details, run_one_round
from tests.fleet import POOL, contents, frames_of, round_spec

pytestmark = pytest.mark.story


@pytest.mark.parametrize("strategy", ["mixdist", "mi", "core-set", "stratified", "random", "manual"])
def test_an_unreadable_picture_leaves_the_pool_with_its_reason_and_the_round_goes_on(
    platform: Platform, strategy: str
) -> None:
    spec = round_spec(platform, strategy)
    labelled = {row["item_id"] for row in contents(platform)["annotations"]}
    rotten = [frame_id for frame_id in frames_of(platform, POOL) if frame_id not in labelled][::2]
    for frame_id in rotten[1:]:
        flip_a_byte(blob_of(platform, frame_id))
    blob_of(platform, rotten[0]).unlink()
    for frame_id in rotten:
        forget_features(platform.settings.home, blob_of(platform, frame_id).name)
    round_ = run_one_round(platform, spec)
    details = round_details(platform, round_.round_id)
    assert round_.state is RoundState.APPENDED
    assert len(details.selections) == spec.budget.frames or strategy == "manual"  # a curator wants no more frames
    assert not {pick.item_id for pick in details.selections} & set(rotten)
    reasons = {name: reason for run in details.steps for name, reason in run.outputs.items() if "unreadable" in name}
    assert reasons
    assert set(reasons) <= {f"unreadable {frame_id}" for frame_id in rotten}
    assert all("its bytes hash to" in str(reason) or "not in" in str(reason) for reason in reasons.values())


def test_all_unreadable_pictures_of_a_scored_pool_are_named(platform: Platform) -> None:
    spec = round_spec(platform)
    labelled = {row["item_id"] for row in contents(platform)["annotations"]}
    rotten = [frame_id for frame_id in frames_of(platform, POOL) if frame_id not in labelled][:3]
    for frame_id in rotten:
        flip_a_byte(blob_of(platform, frame_id))
        forget_features(platform.settings.home, blob_of(platform, frame_id).name)
    steps = {run.step: run.outputs for run in round_details(platform, run_one_round(platform, spec).round_id).steps}
    assert {name for name in steps["score"] if "unreadable" in name} == {f"unreadable {name}" for name in rotten}
    assert steps["score"]["scored_frames"] == len(frames_of(platform, POOL)) - len(rotten)


def test_a_labelled_picture_that_rots_stops_the_training_by_name_until_it_is_put_back(platform: Platform) -> None:
    spec = round_spec(platform)
    pool = set(frames_of(platform, POOL))
    labelled = next(row["item_id"] for row in contents(platform)["annotations"] if row["item_id"] in pool)
    whole = blob_of(platform, labelled).read_bytes()
    flip_a_byte(blob_of(platform, labelled))
    forget_features(platform.settings.home, blob_of(platform, labelled).name)
    with pytest.raises(InvalidInput, match=rf"frame {labelled}: cannot be read .* put its blob back"):
        run_one_round(platform, spec)
    assert contents(platform)["rounds"][0]["message"].startswith(f"train: frame {labelled}: cannot be read")
    blob_of(platform, labelled).write_bytes(whole)
    round_ = run_one_round(platform, spec)
    assert (round_.state, round_.message) == (RoundState.APPENDED, "")


def blob_of(platform: Platform, frame_id: str) -> Path:
    """The file that holds a frame's picture."""
    (blob_hash,) = (row["image_hash"] for row in contents(platform)["frames"] if row["frame_id"] == frame_id)
    return platform.settings.home / "blobs" / blob_hash[:2] / blob_hash


def flip_a_byte(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def forget_features(home: Path, image_hash: str) -> None:
    """Take the record of one picture out of the encoder's cache, as if it had not been read yet."""
    for listing in (home / "cache" / "encoder").rglob("*.ids"):
        keys = listing.read_text().split("\n")
        if image_hash in keys:
            row, records = keys.index(image_hash), np.load(listing.with_suffix(".npy"))
            listing.write_text("\n".join(keys[:row] + keys[row + 1 :]))
            np.save(listing.with_suffix(".npy"), np.delete(records, row, axis=0))
