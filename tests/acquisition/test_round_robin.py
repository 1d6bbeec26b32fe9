"""Claims about picking the best of each class in turn."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition import CONTROL, Limits
from acquisition.round_robin import round_robin
from tests.limits import drawn_order, may_follow, some_limits


@st.composite
def pools(draw: st.DrawFn) -> dict[str, object]:
    """Small pools in which ties, crowded sessions and groups, missing clocks and exhausted classes are the rule."""
    count, classes = draw(st.integers(1, 40)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    excluded = rng.random(count) < draw(st.sampled_from([0.0, 0.3]))
    excluded[rng.integers(count)] = False
    clocks = rng.integers(0, 12, count) / draw(st.sampled_from([1.0, 10.0]))
    return {
        "scores_NK": rng.integers(0, draw(st.sampled_from([2, 5, 1000])), (count, classes)) / 7.0,
        "budget": draw(st.integers(1, 45)),
        "limits": draw(some_limits()),
        "session_ids": np.array([f"drive-{n}" for n in rng.integers(0, draw(st.integers(1, 8)), count)]),
        "timestamps_s": np.where(rng.random(count) < 0.2, np.nan, clocks),
        "group_codes": rng.integers(-1, 4, count),
        "embeddings_ND": rng.integers(-4, 5, (count, 2)).astype(np.float32),
        "apart_from_LD": rng.integers(-4, 5, (draw(st.integers(0, 2)), 2)).astype(np.float32),
        "order": draw(st.sampled_from([None, rng.permutation(count), rng.integers(0, 3, count)])),
        "excluded": excluded,
        "suited_NK": draw(st.sampled_from([None, rng.random((count, classes)) < 0.6])),
        "seed": draw(st.integers(0, 3)),
    }


def naive(pool: dict) -> tuple[list[int], list[int]]:
    """The definition: look at every item in every turn."""
    scores, order, share = pool["scores_NK"], pool["order"], Fraction(str(pool["limits"].control_share))
    key = order if order is not None else np.zeros(len(scores))
    drawn, suited = drawn_order(pool), suited_in(pool)
    picked: list[int] = []
    classes: list[int] = []
    rotation = list(range(scores.shape[1]))
    while rotation and len(picked) < pool["budget"]:
        allowed = [item for item in range(len(scores)) if may_follow(pool, item, picked)]
        rank = len(picked)
        if allowed and int((rank + 1) * share) > int(rank * share):
            picked.append(next(item for item in drawn if item in allowed))
            classes.append(CONTROL)
            continue
        klass = rotation.pop(0)
        fitting = [item for item in allowed if suited[item, klass]]
        if not fitting:
            continue
        picked.append(min(fitting, key=lambda item: (-scores[item, klass], key[item], item)))
        classes.append(klass)
        rotation.append(klass)
    return picked, classes


def suited_in(pool: dict) -> np.ndarray:
    return np.ones(pool["scores_NK"].shape, bool) if pool["suited_NK"] is None else pool["suited_NK"]


@settings(max_examples=1500, deadline=None)
@given(pools())
def test_picks_are_those_of_a_greedy_that_looks_at_everything(pool: dict) -> None:
    indices, classes = round_robin(**pool)
    assert (indices.tolist(), classes.tolist()) == naive(pool)


@settings(max_examples=300, deadline=None)
@given(pools())
def test_no_item_twice_and_caps_and_gaps_held(pool: dict) -> None:
    indices, _ = round_robin(**pool)
    for rank, item in enumerate(indices.tolist()):
        assert may_follow(pool, item, indices[:rank].tolist())


@settings(max_examples=300, deadline=None)
@given(pools())
def test_fewer_picks_than_the_budget_mean_that_nothing_more_is_allowed(pool: dict) -> None:
    indices, _ = round_robin(**pool)
    if len(indices) < pool["budget"]:
        fitting = np.flatnonzero(suited_in(pool).any(axis=1)).tolist()
        assert not any(may_follow(pool, item, indices.tolist()) for item in fitting)


@settings(max_examples=300, deadline=None)
@given(pools())
def test_nothing_is_picked_for_a_class_that_it_is_not_suited_to(pool: dict) -> None:
    indices, classes = round_robin(**pool)
    assert all(suited_in(pool)[item, klass] for item, klass in zip(indices, classes, strict=True) if klass != CONTROL)


@settings(max_examples=300, deadline=None)
@given(pools(), st.integers(1, 45))
def test_the_picks_of_a_smaller_budget_are_the_first_of_a_larger(pool: dict, budget: int) -> None:
    all_indices, all_classes = round_robin(**pool)
    smaller = min(budget, pool["budget"])
    indices, classes = round_robin(**{**pool, "budget": smaller})
    np.testing.assert_array_equal(indices, all_indices[:smaller])
    np.testing.assert_array_equal(classes, all_classes[:smaller])


def test_a_pool_larger_than_the_first_block_is_picked_to_the_last_item() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 50, (5_000, 2)).astype(np.float32)
    sessions = rng.integers(0, 40, 5_000)
    capped, _ = round_robin(scores, 300, session_ids=sessions, limits=Limits(session_cap=3))
    assert len(capped) == 120
    everything, classes = round_robin(scores, 6_000)
    assert sorted(everything.tolist()) == list(range(5_000))
    for klass in range(2):
        ranked = scores[everything[classes == klass], klass]
        assert (np.diff(ranked) <= 0).all()


def test_each_class_has_its_turn() -> None:
    scores = np.array([[9.0, 0.0], [8.0, 1.0], [7.0, 2.0], [6.0, 3.0]])
    indices, classes = round_robin(scores, 3)
    assert indices.tolist() == [0, 3, 1]
    assert classes.tolist() == [0, 1, 0]


def test_equal_scores_go_to_the_smaller_key_and_then_to_the_smaller_index() -> None:
    scores = np.ones((4, 1))
    assert round_robin(scores, 4)[0].tolist() == [0, 1, 2, 3]
    assert round_robin(scores, 4, order=np.array(["d", "b", "b", "a"]))[0].tolist() == [3, 1, 2, 0]


def test_a_clock_exactly_the_gap_away_is_far_enough() -> None:
    scores = np.array([[3.0], [2.0], [1.0]])
    indices, _ = round_robin(
        scores, 3, session_ids=np.zeros(3), timestamps_s=np.array([0.0, 0.5, 1.0]), limits=Limits(minimum_gap_s=1.0)
    )
    assert indices.tolist() == [0, 2]


def test_ids_of_sessions_may_be_numbers_text_or_objects() -> None:
    scores = np.array([[3.0], [2.0], [1.0]])
    for ids in (np.array([7, 7, 9]), np.array(["a", "a", "b"]), np.array(["a", "a", "b"], dtype=object)):
        assert round_robin(scores, 3, session_ids=ids, limits=Limits(session_cap=1))[0].tolist() == [0, 2]


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_stops_the_selection_with_its_place(broken: float) -> None:
    scores = np.ones((5, 2))
    scores[3, 1] = broken
    with pytest.raises(ValueError, match="in row 3, class 1: must be finite"):
        round_robin(scores, 2)


def test_the_scores_of_excluded_items_are_not_looked_at() -> None:
    scores = np.array([[np.nan], [1.0]])
    assert round_robin(scores, 2, excluded=np.array([True, False]))[0].tolist() == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"budget": 0}, "budget 0: must be at least 1"),
        ({"scores_NK": np.empty((0, 2))}, "empty pool: 0 items"),
        ({"scores_NK": np.empty((3, 0))}, "no class to pick for"),
        ({"excluded": np.ones(3, np.bool_)}, "empty pool: 3 items, none of them open"),
        ({"limits": Limits(session_cap=1)}, "session_cap 1: needs session_ids"),
        ({"limits": Limits(minimum_gap_s=1.0), "session_ids": np.zeros(3)}, "needs session_ids and timestamps_s"),
        ({"limits": Limits(group_quota=1)}, "group_quota 1: needs group_codes"),
        ({"limits": Limits(minimum_distance=1.0)}, "minimum_distance 1.0: needs embeddings"),
        ({"timestamps_s": np.array([0.0, np.inf, 1.0])}, "infinite time"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_cure(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        round_robin(**{"scores_NK": np.ones((3, 2)), "budget": 2, **arguments})


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"session_cap": 0}, "session_cap 0: must be at least 1"),
        ({"group_quota": 0}, "group_quota 0: must be at least 1"),
        ({"minimum_gap_s": -1.0}, "minimum_gap_s -1.0: must be 0 or more"),
        ({"minimum_gap_s": np.nan}, "minimum_gap_s nan: must be 0 or more"),
        ({"minimum_distance": np.inf}, "minimum_distance inf: must be 0 or more"),
        ({"control_share": 1.0}, "control_share 1.0: must be at least 0 and below 1"),
    ],
)
def test_limits_out_of_range_are_refused(limits: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Limits(**limits)


def test_control_picks_stand_at_ranks_that_follow_from_the_share_alone() -> None:
    scores = np.arange(400.0)[::-1].reshape(200, 2)
    sessions = np.arange(200) // 10
    _, classes = round_robin(scores, 40, session_ids=sessions, limits=Limits(control_share=0.1), seed=4)
    assert np.flatnonzero(classes == CONTROL).tolist() == [9, 19, 29, 39]
    assert [klass for klass in classes.tolist() if klass != CONTROL] == [0, 1] * 18


@pytest.mark.parametrize("name", ["session_ids", "timestamps_s", "order", "excluded"])
def test_arguments_for_another_pool_are_refused(name: str) -> None:
    other = {name: np.zeros(4, np.bool_ if name == "excluded" else np.float64)}
    # With shape types switched on, as in these tests, they speak first.
    with pytest.raises((ValueError, TypeError), match=name):
        round_robin(np.ones((3, 2)), 2, **other)
