"""Rounds in a row: the dataset grows by the budget, and nothing is bought twice."""

from dataclasses import replace
from itertools import pairwise

import pytest

from al_platform.catalog.datasets import version_named
from al_platform.catalog.frames import frames_by_id
from al_platform.domain.datasets import DatasetVersion
from al_platform.domain.loops import LoopSpec
from al_platform.domain.rounds import Round, RoundState
from al_platform.loop.loops import run_loop, train_on_last
from al_platform.loop.strategies import STRATEGIES
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context, round_details, run_rounds
from tests.fleet import CLASSES, START, TEST, contents, frames_of, round_spec

pytestmark = pytest.mark.story
BUDGET = 5


def test_every_round_trains_on_what_the_one_before_appended(platform: Platform) -> None:
    rounds = run(platform, LoopSpec(round_spec(platform, budget=BUDGET), 2))
    assert [round_.state for round_ in rounds] == [RoundState.APPENDED] * 2
    for before, after in pairwise(rounds):
        assert after.spec.dataset_version_id == before.dataset_version_id
        assert after.ensemble_id != before.ensemble_id
    versions = [version(platform, round_.dataset_version_id) for round_ in rounds]
    assert [(grown.items, grown.added) for grown in versions] == [
        (START + BUDGET, BUDGET),
        (START + 2 * BUDGET, BUDGET),
    ]
    assert [grown.parent_id for grown in versions] == [round_.spec.dataset_version_id for round_ in rounds]


def test_the_same_loop_again_runs_nothing_and_a_longer_one_goes_on_with_it(platform: Platform) -> None:
    loop = LoopSpec(round_spec(platform, budget=BUDGET), 1)
    (first,) = run(platform, loop)
    known = contents(platform)
    assert run(platform, loop) == [first]
    assert contents(platform) == known
    longer = run(platform, replace(loop, rounds=2))
    assert longer[0] == first
    assert longer[1].spec.dataset_version_id == first.dataset_version_id
    assert len(contents(platform)["loops"]) == 1


def test_the_last_ensemble_learns_what_the_last_round_bought(platform: Platform) -> None:
    loop = LoopSpec(round_spec(platform, budget=BUDGET), 1)
    (last,) = run(platform, loop)
    trained = train_on_last(loop_context(platform), loop, last)
    assert trained.labelled_frames == START + BUDGET
    assert trained.ensemble_id != last.ensemble_id
    *_, after = run_rounds(platform, loop)
    assert after.round.ensemble_id == trained.ensemble_id
    assert after.metrics["average_precision"]


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_a_loop_picks_its_budget_every_round_and_never_a_frame_twice_or_of_the_test_set(
    platform: Platform, strategy: str
) -> None:
    spec = round_spec(platform, strategy, budget=BUDGET, session_cap=2, targets=CLASSES)
    start = {row["item_id"] for row in contents(platform)["annotations"]}
    rounds = run(platform, LoopSpec(spec, 2))
    by_round = [[pick.item_id for pick in round_details(platform, each.round_id).selections] for each in rounds]
    bought = [frame_id for picks in by_round for frame_id in picks]
    assert [len(picks) for picks in by_round] == [BUDGET, BUDGET]
    assert len(bought) == len(set(bought))
    assert not set(bought) & (start | set(frames_of(platform, TEST)))
    for picks in by_round:
        with platform.catalog.transaction() as tx:
            sessions = [frame.session_id for frame in frames_by_id(tx, picks).values()]
        assert max(sessions.count(session) for session in sessions) <= 2


def test_a_frame_that_another_loop_of_the_queue_took_is_left_alone_and_another_queue_may_have_it(
    platform: Platform,
) -> None:
    spec = round_spec(platform, "random", budget=BUDGET)
    (first,) = run(platform, LoopSpec(spec, 1, name="first"))
    (second,) = run(platform, LoopSpec(spec, 1, name="second"))
    (other,) = run(platform, LoopSpec(replace(spec, queue="other"), 1))
    picks = [
        {pick.item_id for pick in round_details(platform, each.round_id).selections} for each in (first, second, other)
    ]
    assert not picks[0] & picks[1]
    assert picks[0] == picks[2]


def run(platform: Platform, loop: LoopSpec) -> list[Round]:
    return list(run_loop(loop_context(platform), loop))


def version(platform: Platform, version_id: str | None) -> DatasetVersion:
    with platform.catalog.transaction() as tx:
        return version_named(tx, version_id or "")
