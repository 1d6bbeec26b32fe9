"""Labels that nobody bought have no influence: other answers under the seal change not a bit."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from al_platform.datasets.images import decode_mask, encode_mask
from al_platform.domain.labels import Annotation
from al_platform.domain.models import GridSpec
from al_platform.labeling.oracle import Oracle
from al_platform.platform.home import Platform, open_platform
from al_platform.platform.rounds import run_one_round
from al_platform.storage.sealed import SealedAnswers
from tests.fleet import CLASSES, contents, frames_of, outcome_of, round_spec, settings_of

pytestmark = pytest.mark.story


@pytest.mark.parametrize("strategy", ["mixdist", "mi", "core-set", "stratified"])
def test_answers_that_a_round_does_not_buy_change_no_weight_no_score_and_no_pick(
    platform: Platform, tmp_path: Path, fleet_home: Path, strategy: str
) -> None:
    honest = run_one_round(platform, round_spec(platform, strategy))
    bought = {row["item_id"] for row in contents(platform)["annotations"]}
    poisoned = Path(shutil.copytree(fleet_home, tmp_path / "poisoned"))
    poison(poisoned, spare=bought)
    with open_platform(settings_of(poisoned)) as other:
        changed = [frame_id for frame_id in frames_of(other, "") if frame_id not in bought]
        assert (shown(platform, changed) != shown(other, changed)).any(axis=1).all()
        again = run_one_round(other, round_spec(other, strategy))
        assert again.round_id == honest.round_id
        assert outcome_of(other, again.round_id) == outcome_of(platform, honest.round_id)


def test_the_next_round_is_the_first_to_see_what_this_one_bought(
    platform: Platform, tmp_path: Path, fleet_home: Path
) -> None:
    first = run_one_round(platform, round_spec(platform))
    before = {row["item_id"] for row in contents(platform)["tasks"]}
    start = {row["item_id"] for row in contents(platform)["annotations"]} - before
    poisoned = Path(shutil.copytree(fleet_home, tmp_path / "poisoned"))
    poison(poisoned, spare=start)
    with open_platform(settings_of(poisoned)) as other:
        again = run_one_round(other, round_spec(other))
        honest, misled = outcome_of(platform, first.round_id), outcome_of(other, again.round_id)
        assert replace(misled, version="") == replace(honest, version="")
        assert misled.version != honest.version


def poison(home: Path, *, spare: set[str]) -> None:
    """Rewrite the sealed answers of all frames but these: every picture is now full of what it does not show."""
    settings = settings_of(home)
    with open_platform(settings) as platform:
        answers = platform.sealed.open(frames_of(platform, ""))
    for sealing in (home / "sealed" / "answers").iterdir():
        sealing.unlink()
    sealed = SealedAnswers(settings.sealed_url)
    sealed.seal([answer if answer.frame_id in spare else turned(sealed, answer) for answer in answers.values()])


def turned(sealed: SealedAnswers, answer: Annotation) -> Annotation:
    """The same answer with a mask in which every value stands for the next."""
    assert answer.mask is not None
    mask_HW = decode_mask(sealed.blobs.get(answer.mask.hash))
    values = sorted(int(value) for value in answer.mask_values)
    other = np.zeros(256, np.uint8)
    other[values] = np.roll(values, 1)
    return replace(answer, mask=sealed.blobs.put(encode_mask(other[mask_HW]), media_type="image/png"))


def shown(platform: Platform, frame_ids: list[str]) -> np.ndarray:
    """What is to be seen in frames, [N, K]; of a coarse grid, so that a whole picture counts."""
    grid = GridSpec(image_height=16, image_width=16, cell=16, positive_share=0.2)
    return Oracle(platform.sealed).shows(frame_ids, CLASSES, grid)
