"""A selection can be made again from what was kept, long after; what was changed since is named."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from al_platform.domain.loops import LoopSpec
from al_platform.domain.rounds import Round
from al_platform.errors import InvalidInput, NotFound
from al_platform.loop.loops import run_loop
from al_platform.loop.rounds import submit_round
from al_platform.loop.strategies import STRATEGIES
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context, round_details, run_one_round, verify_round
from tests.fleet import frames_of, round_spec

pytestmark = pytest.mark.story


def loop_of(platform: Platform, strategy: str, rounds: int = 2) -> list[Round]:
    spec = round_spec(platform, strategy, budget=4, session_cap=2)
    return list(run_loop(loop_context(platform), LoopSpec(spec, rounds)))


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_every_round_of_a_loop_is_selected_again_to_the_last_digit(platform: Platform, strategy: str) -> None:
    rounds = loop_of(platform, strategy)
    assert [verify_round(platform, round_.round_id) for round_ in rounds] == [[], []]


CHANGES: dict[str, tuple[str, str]] = {
    "another frame": ("item_id = 'frm_other'", "holds frm_other for"),
    "another score": ("score = score + 1e-12", "selected anew"),
    "another class": ("for_class = 'car'", "for car at rank 2"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_task_that_was_tampered_with_is_named(platform: Platform, change: str) -> None:
    (round_,) = loop_of(platform, "mi", rounds=1)
    assignment, message = CHANGES[change]
    with platform.catalog.transaction() as tx:
        tx.execute(f"UPDATE tasks SET {assignment} WHERE round_id = ? AND rank = 2", [round_.round_id])
    first, *others = verify_round(platform, round_.round_id)
    assert first.startswith("rank 2: task tsk_")
    assert message in first
    assert not others


def test_a_task_that_is_missing_is_named(platform: Platform) -> None:
    (round_,) = loop_of(platform, "random", rounds=1)
    last = round_details(platform, round_.round_id).selections[-1]
    with platform.catalog.transaction() as tx:
        tx.execute("DELETE FROM tasks WHERE round_id = ? AND rank = 3", [round_.round_id])
    (difference,) = verify_round(platform, round_.round_id)
    assert difference.startswith(f"rank 3: {last.item_id} for")
    assert difference.endswith("only in the selection anew")


BROKEN_INPUTS: dict[str, tuple[str, str]] = {
    "pool": ("UPDATE pools SET manifest_hash = 'other'", "pool_manifest_hash: selected from"),
    "scores": ("UPDATE score_shards SET hash = 'other'", "score_hash: selected from"),
    "labels": ("UPDATE dataset_versions SET manifest_hash = 'other'", "dataset_manifest_hash: selected from"),
}


@pytest.mark.parametrize("broken", BROKEN_INPUTS)
def test_an_input_that_was_exchanged_is_named_before_anything_is_selected(platform: Platform, broken: str) -> None:
    (round_,) = loop_of(platform, "mi", rounds=1)
    statement, message = BROKEN_INPUTS[broken]
    with platform.catalog.transaction() as tx:
        tx.execute(statement)
    first, *_ = verify_round(platform, round_.round_id)
    assert first.startswith(message)


def test_what_other_rounds_queue_later_changes_nothing(platform: Platform) -> None:
    first = run_one_round(platform, round_spec(platform, "random", budget=4))
    second = run_one_round(platform, round_spec(platform, "random", budget=4, seed=1))
    assert verify_round(platform, first.round_id) == verify_round(platform, second.round_id) == []


def test_only_frames_that_match_the_filter_are_picked_and_that_too_is_verified(platform: Platform) -> None:
    spec = round_spec(platform, "mi", budget=4)
    wanted = frames_of(platform, "split=pool,frame_number<2")
    round_ = run_one_round(platform, replace(spec, filter="frame_number<2"))
    picks = {pick.item_id for pick in round_details(platform, round_.round_id).selections}
    assert picks
    assert picks <= set(wanted)
    assert verify_round(platform, round_.round_id) == []


def refused(platform: Platform, filter_text: str) -> Callable[[], Round]:
    spec = replace(round_spec(platform, "mi"), filter=filter_text)
    return lambda: submit_round(loop_context(platform), spec)


def test_a_filter_that_leaves_nothing_is_refused_before_anything_is_kept(platform: Platform) -> None:
    with pytest.raises(InvalidInput, match="filter 'frame_number<0': matches no frame of pool"):
        refused(platform, "frame_number<0")()
    with pytest.raises(InvalidInput, match="filter name 'surprise'"):
        refused(platform, "surprise=1")()


def test_a_round_that_has_selected_nothing_cannot_be_verified(platform: Platform) -> None:
    round_ = submit_round(loop_context(platform), round_spec(platform, "mi"))
    with pytest.raises(NotFound, match="has selected nothing yet; run it first"):
        verify_round(platform, round_.round_id)
