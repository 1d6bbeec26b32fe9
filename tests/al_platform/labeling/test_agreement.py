"""Agreement between people: references from the definitions, and laws."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_platform.domain.labels import Box
from al_platform.errors import InvalidInput
from al_platform.labeling.agreement import (
    box_agreement,
    cohen_kappa,
    fleiss_kappa,
    matched_pairs,
    mean_pairwise,
    overlap,
)

GRID = st.integers(0, 6)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x, y, wide, high = draw(GRID), draw(GRID), draw(st.integers(1, 4)), draw(st.integers(1, 4))
    return Box(draw(st.sampled_from(["person", "car"])), x, y, x + wide, y + high)


def cells(box: Box) -> set[tuple[int, int]]:
    return {(x, y) for x in range(int(box.x_min), int(box.x_max)) for y in range(int(box.y_min), int(box.y_max))}


def best_by_trying(ones: list[Box], others: list[Box], same_from: float) -> float:
    """The greatest sum of overlaps over all pairings, one by one."""
    short, long = sorted((ones, others), key=len)
    gain = [[overlap(a, b) if a.class_name == b.class_name else 0.0 for b in long] for a in short]
    gain = [[value if value >= same_from else 0.0 for value in row] for row in gain]
    return max(sum(gain[i][j] for i, j in enumerate(chosen)) for chosen in permutations(range(len(long)), len(short)))


@given(boxes(), boxes())
def test_overlap_is_shared_cells_over_covered_cells(one: Box, other: Box) -> None:
    expected = len(cells(one) & cells(other)) / len(cells(one) | cells(other))
    assert overlap(one, other) == pytest.approx(expected, abs=1e-12)
    assert overlap(one, other) == overlap(other, one)


@given(
    st.lists(boxes(), min_size=1, max_size=4), st.lists(boxes(), min_size=1, max_size=4), st.sampled_from([0.1, 0.5])
)
def test_matching_finds_the_greatest_sum_of_overlaps(ones: list[Box], others: list[Box], same_from: float) -> None:
    pairs = matched_pairs(ones, others, same_from=same_from)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    total = sum(overlap(ones[i], others[j]) for i, j in pairs)
    assert total == pytest.approx(best_by_trying(ones, others, same_from), abs=1e-9)


@given(st.lists(boxes(), max_size=5), st.lists(boxes(), max_size=5))
def test_agreement_is_a_share_the_same_both_ways_and_whole_with_oneself(ones: list[Box], others: list[Box]) -> None:
    agreement = box_agreement(ones, others)
    assert 0.0 <= agreement <= 1.0
    assert agreement == pytest.approx(box_agreement(others, ones))
    assert box_agreement(ones, list(reversed(ones))) == 1.0


def test_nothing_there_agrees_with_nothing_there_and_not_with_a_box() -> None:
    assert box_agreement([], []) == 1.0
    assert box_agreement([], [Box("person", 0, 0, 4, 4)]) == 0.0


def test_another_class_is_another_object() -> None:
    assert box_agreement([Box("person", 0, 0, 4, 4)], [Box("car", 0, 0, 4, 4)]) == 0.0


def test_one_of_two_boxes_found_again_is_two_thirds() -> None:
    person = Box("person", 0, 0, 4, 4)
    assert box_agreement([person, Box("person", 9, 9, 12, 12)], [person]) == pytest.approx(2 / 3)
    assert mean_pairwise([[person], [person], []]) == pytest.approx(1 / 3)


def test_cohen_kappa_of_the_textbook_table() -> None:
    """50 items: both yes 20, both no 15, only the first 5, only the second 10: observed .7, by chance .5."""
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)
    assert cohen_kappa(first, first) == 1.0
    assert cohen_kappa(["yes"] * 3, ["yes"] * 3) == 1.0


def test_fleiss_kappa_of_the_published_example() -> None:
    """Ten items, fourteen people, five categories: kappa .210."""
    counts = [
        (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
        (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
    ]  # fmt: skip
    items = [[name for name, n in zip("abcde", row, strict=True) for _ in range(n)] for row in counts]
    assert fleiss_kappa(items) == pytest.approx(0.210, abs=5e-4)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("ab")), min_size=1, max_size=20))
def test_kappa_is_at_most_one_and_one_only_for_full_agreement(pairs: list[tuple[str, str]]) -> None:
    first, second = zip(*pairs, strict=True)
    for kappa in (cohen_kappa(first, second), fleiss_kappa(pairs)):
        assert kappa <= 1.0 + 1e-12
        assert (abs(kappa - 1.0) < 1e-9) == (first == second)


def test_choices_that_do_not_pair_up_are_refused() -> None:
    with pytest.raises(InvalidInput, match="1 and 2 choices: kappa needs two of each item"):
        cohen_kappa(["a"], ["a", "b"])
    with pytest.raises(InvalidInput, match="needs the same number, at least 2"):
        fleiss_kappa([["a", "b"], ["a"]])
