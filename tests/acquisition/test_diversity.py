"""Claims about picking items that are informative and unlike the others."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition import Limits, diversity
from acquisition.diversity import distance_weighted
from acquisition.nearest import nearest_squared_distance
from tests.limits import drawn_order, may_follow, some_limits


@st.composite
def pools(draw: st.DrawFn) -> dict[str, object]:
    """Embeddings on a small grid, so that duplicates and ties are the rule and arithmetic is exact."""
    count, dimensions = draw(st.integers(1, 60)), draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    excluded = rng.random(count) < draw(st.sampled_from([0.0, 0.3]))
    excluded[rng.integers(count)] = False
    return {
        "score_N": rng.integers(0, draw(st.sampled_from([2, 4, 100])), count).astype(np.float64),
        "embeddings_ND": rng.integers(-4, 5, (count, dimensions)).astype(np.float32),
        "labelled_LD": rng.integers(-4, 5, (draw(st.integers(0, 5)), dimensions)).astype(np.float32),
        "budget": draw(st.integers(1, 65)),
        "session_ids": rng.integers(0, draw(st.integers(1, 8)), count),
        "limits": draw(some_limits()),
        "timestamps_s": np.where(rng.random(count) < 0.2, np.nan, rng.integers(0, 9, count) * 1.0),
        "group_codes": rng.integers(-1, 4, count),
        "excluded": excluded,
        "seed": draw(st.integers(0, 3)),
    }


def naive(pool: dict) -> tuple[list[int], list[bool]]:
    """The definition: renew every distance after every pick."""
    embeddings, share = pool["embeddings_ND"].astype(np.float64), Fraction(str(pool["limits"].control_share))
    drawn = drawn_order(pool)
    picked: list[int] = []
    control: list[bool] = []
    while len(picked) < pool["budget"]:
        near = np.concatenate([pool["labelled_LD"], embeddings[picked]])
        distance = ((embeddings[:, None] - near[None]) ** 2).sum(axis=2).min(axis=1, initial=np.inf)
        value = pool["score_N"] * distance if len(near) else pool["score_N"]
        allowed = [item for item in range(len(embeddings)) if may_follow(pool, item, picked)]
        if not allowed:
            break
        rank = len(picked)
        control.append(int((rank + 1) * share) > int(rank * share))
        by_value = max(allowed, key=lambda item: (value[item], -item))
        picked.append(next(item for item in drawn if item in allowed) if control[-1] else by_value)
    return picked, control


def picks_of(pool: dict) -> tuple[list[int], list[bool]]:
    indices, control = distance_weighted(**pool)
    return indices.tolist(), control.tolist()


@pytest.mark.parametrize("block", [1, 7, 256])
def test_picks_are_those_of_a_greedy_that_renews_everything(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diversity, "_BLOCK", block)

    @settings(max_examples=600, deadline=None)
    @given(pools())
    def check(pool: dict) -> None:
        assert picks_of(pool) == naive(pool)

    check()


@settings(max_examples=200, deadline=None)
@given(pools(), st.integers(1, 65))
def test_the_picks_of_a_smaller_budget_are_the_first_of_a_larger(pool: dict, budget: int) -> None:
    smaller = min(budget, pool["budget"])
    first, _ = distance_weighted(**{**pool, "budget": smaller})
    np.testing.assert_array_equal(first, distance_weighted(**pool)[0][:smaller])


def test_many_blocks_of_real_numbers_give_the_picks_of_the_definition() -> None:
    rng = np.random.default_rng(5)
    pool = {
        "score_N": rng.random(5_000),
        "embeddings_ND": rng.normal(size=(5_000, 16)),
        "labelled_LD": rng.normal(size=(30, 16)),
        "budget": 40,
        "session_ids": rng.integers(0, 100, 5_000),
        "limits": Limits(session_cap=1, minimum_distance=4.0, group_quota=9, control_share=0.1),
        "timestamps_s": np.full(5_000, np.nan),
        "group_codes": rng.integers(-1, 4, 5_000),
        "excluded": np.zeros(5_000, np.bool_),
        "seed": 3,
    }
    assert picks_of(pool) == naive(pool)


def test_with_equal_scores_no_item_is_left_farther_away_than_the_last_pick_was() -> None:
    rng = np.random.default_rng(7)
    embeddings = rng.normal(size=(300, 3))
    picked, _ = distance_weighted(np.ones(300), embeddings, np.empty((0, 3)), 12)
    last = nearest_squared_distance(embeddings[picked[-1:]], embeddings[picked[:-1]])[0]
    assert nearest_squared_distance(embeddings, embeddings[picked]).max() <= last


def test_with_nothing_labelled_the_first_pick_is_by_score_alone() -> None:
    embeddings = np.array([[0.0], [1.0], [50.0]])
    assert distance_weighted(np.array([1.0, 5.0, 2.0]), embeddings, np.empty((0, 1)), 2)[0].tolist() == [1, 2]


def test_a_duplicate_of_a_labelled_item_is_picked_last() -> None:
    embeddings = np.array([[3.3, 0.1], [0.0, 0.0]])
    assert distance_weighted(np.array([100.0, 0.1]), embeddings, embeddings[:1], 2)[0].tolist() == [1, 0]


def test_the_nearest_distance_is_that_of_all_differences() -> None:
    rng = np.random.default_rng(8)
    points, references = rng.normal(100.0, 1.0, (50, 5)), rng.normal(100.0, 1.0, (40, 5))
    brute = ((points[:, None] - references[None]) ** 2).sum(axis=2).min(axis=1)
    np.testing.assert_allclose(nearest_squared_distance(points, references), brute, rtol=1e-12)
    assert (nearest_squared_distance(points, points) == 0).all()
    assert np.isinf(nearest_squared_distance(points, references[:0])).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"budget": 0}, "budget 0: must be at least 1"),
        ({"score_N": np.array([1.0, np.nan, 1.0])}, "score nan in row 1: must be finite"),
        ({"score_N": np.array([1.0, 1.0, -0.5])}, "score -0.5 in row 2: must be finite and at least 0"),
        ({"embeddings_ND": np.array([[1.0], [np.inf], [0.0]])}, "embeddings in row 1: must be finite"),
        ({"labelled_LD": np.array([[np.nan]])}, "labelled in row 0: must be finite"),
        ({"limits": Limits(session_cap=2)}, "session_cap 2: needs session_ids"),
        ({"limits": Limits(group_quota=2)}, "group_quota 2: needs group_codes"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_its_place(arguments: dict, message: str) -> None:
    good = {
        "score_N": np.ones(3),
        "embeddings_ND": np.ones((3, 1)),
        "labelled_LD": np.zeros((1, 1)),
        "budget": 1,
    }
    with pytest.raises(ValueError, match=message):
        distance_weighted(**{**good, **arguments})


def test_an_empty_pool_is_refused() -> None:
    with pytest.raises(ValueError, match="empty pool: 0 items"):
        distance_weighted(np.empty(0), np.empty((0, 2)), np.empty((0, 2)), 1)
