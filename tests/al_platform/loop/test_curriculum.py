"""Shares of a curriculum: what is new, what a filter matches, and what is left where either is nothing."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from al_platform.catalog.datasets import add_version
from al_platform.catalog.scenarios import scenarios_matching_among
from al_platform.domain.datasets import DatasetItem
from al_platform.domain.rounds import NEW, CurriculumShare
from al_platform.errors import InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.loop.curriculum import curriculum_weights
from al_platform.platform.home import open_platform
from al_platform.platform.rounds import loop_context
from tests.fleet import settings_of
from tests.scenes import enter_references

NOW = "2026-11-21 12:00:00.000000"
OLD, ADDED = ("scn_0", "scn_1", "scn_2"), ("scn_3",)
EVERYTHING = CurriculumShare("", 1.0)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[LoopContext]:
    """Of a home whose scenario 0 is hard."""
    with open_platform(settings_of(tmp_path / "home")) as platform:
        enter_references(platform, [*OLD, *ADDED], hard=("scn_0",))
        yield loop_context(platform)


def grown(context: LoopContext, additions: tuple[str, ...], *, parent: str | None, round_id: str | None) -> str:
    with context.catalog.transaction() as tx:
        items = [DatasetItem(name, "") for name in additions]
        made = add_version(
            tx, context.blobs, parent_id=parent, additions=items, purpose="train", round_id=round_id, now=NOW
        )
        return made.version_id


def weights(
    context: LoopContext, version_id: str, ids: tuple[str, ...], *parts: CurriculumShare
) -> NDArray[np.float64] | None:
    return curriculum_weights(context, parts, ids, version_id=version_id, among=scenarios_matching_among)


def test_what_a_round_added_has_its_share_and_everything_else_keeps_its_own(context: LoopContext) -> None:
    start = grown(context, OLD, parent=None, round_id=None)
    version_id = grown(context, ADDED, parent=start, round_id="rnd_1")
    found = weights(context, version_id, (*OLD, *ADDED), CurriculumShare(NEW, 3.0), EVERYTHING)
    assert found is not None
    np.testing.assert_allclose(found, [0.25, 0.25, 0.25, 3.25])
    hard = weights(context, version_id, (*OLD, *ADDED), CurriculumShare("hard=1", 2.0), EVERYTHING)
    assert hard is not None
    np.testing.assert_allclose(hard, [2.25, 0.25, 0.25, 0.25])
    assert weights(context, version_id, (*OLD, *ADDED)) is None


def test_what_is_new_and_held_out_has_no_share(context: LoopContext) -> None:
    start = grown(context, OLD, parent=None, round_id=None)
    version_id = grown(context, ADDED, parent=start, round_id="rnd_1")
    found = weights(context, version_id, OLD, CurriculumShare(NEW, 3.0), EVERYTHING)
    assert found is not None
    np.testing.assert_allclose(found, [1.0 / 3.0] * 3)


def test_where_nothing_is_new_or_all_of_it_every_item_is_alike(context: LoopContext) -> None:
    start = grown(context, OLD, parent=None, round_id=None)
    rejected = grown(context, (), parent=start, round_id="rnd_1")
    for version_id in (start, rejected):
        found = weights(context, version_id, OLD, CurriculumShare(NEW, 3.0), EVERYTHING)
        assert found is not None
        assert np.ptp(found) == 0.0
    with pytest.raises(InvalidInput, match=f"leaves nothing of {rejected} to draw; add a share of everything"):
        weights(context, rejected, OLD, CurriculumShare(NEW, 3.0))


def test_a_filter_that_matches_nothing_is_refused_even_beside_others(context: LoopContext) -> None:
    start = grown(context, OLD, parent=None, round_id=None)
    with pytest.raises(InvalidInput, match=f"'hard=1': matches none of the 2 items of {start}"):
        weights(context, start, OLD[1:], CurriculumShare("hard=1", 1.0), EVERYTHING)
