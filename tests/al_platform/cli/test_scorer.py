"""`alp scorer`: needs a storage and an id, and says what it lacks."""

from pathlib import Path

import pytest

from al_platform.cli import parse
from al_platform.domain.scores import Share
from al_platform.errors import InvalidInput
from al_platform.scoring.markers import finished_markers
from tests.al_platform.cli.conftest import Alp
from tests.al_platform.scoring.small import small_pool


def test_a_scorer_needs_a_storage_a_cache_and_an_id_and_makes_no_home(alp: Alp, tmp_path: Path) -> None:
    pool = small_pool(tmp_path, frames=70)
    home = tmp_path / "home"
    places = ("--storage", pool.place.blobs.url, "--cache", str(tmp_path / "cache"))
    said = alp("--home", str(home), "scorer", pool.job.score_id, *places, "--share", "2/3")
    assert (said.code, said.out) == (0, f"{pool.job.score_id}: 2 shards scored\n")
    assert len(finished_markers(pool.place.files, pool.job)) == 2
    assert not home.exists()


def test_scores_that_nobody_asked_for_are_named(alp: Alp, tmp_path: Path) -> None:
    said = alp("scorer", "scr_x", "--storage", str(tmp_path), "--cache", str(tmp_path / "cache"))
    assert said.code == 2
    assert said.err == f"alp: scores scr_x: no such job in {tmp_path}; give the storage of its round\n"


def test_a_share_is_written_as_a_fraction() -> None:
    assert parse.share(" 2/3") == Share(2, 3)
    for text in ("2", "a/b", "1/", "-1/2", ""):
        with pytest.raises(InvalidInput, match="write I/N with I from 1 to N"):
            parse.share(text)
