"""How far people agree: boxes by matching, choices by kappa. Higher = more alike, 1 = the same."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy.optimize import linear_sum_assignment

from al_platform.domain.labels import Box
from al_platform.errors import InvalidInput

SAME_FROM = 0.5
"""Two boxes are of one object from this overlap on."""


def overlap(one: Box, other: Box) -> float:
    """Give the area that two boxes share over the area that either covers (IoU), in [0, 1]."""
    wide = min(one.x_max, other.x_max) - max(one.x_min, other.x_min)
    high = min(one.y_max, other.y_max) - max(one.y_min, other.y_min)
    shared = max(wide, 0.0) * max(high, 0.0)
    either = _area(one) + _area(other) - shared
    return shared / either if either > 0 else 0.0


def matched_pairs(ones: Sequence[Box], others: Sequence[Box], *, same_from: float = SAME_FROM) -> list[tuple[int, int]]:
    """Pair boxes of the same class one to one, so that the sum of their overlaps is greatest.

    Pairs that overlap by less than `same_from` do not count: they are left out before pairing.
    """
    if not ones or not others:
        return []
    gain = np.array([[_gain(one, other, same_from) for other in others] for one in ones])
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if gain[row, column] > 0]


def box_agreement(ones: Sequence[Box], others: Sequence[Box], *, same_from: float = SAME_FROM) -> float:
    """Give the share of boxes that have a partner (F1), in [0, 1]; two empty frames agree wholly."""
    if not ones and not others:
        return 1.0
    return 2 * len(matched_pairs(ones, others, same_from=same_from)) / (len(ones) + len(others))


def cohen_kappa(ones: Sequence[str], others: Sequence[str]) -> float:
    """Give the agreement of two people beyond chance, in [-1, 1]; 1 where both always chose the same one thing.

    Source: Cohen 1960, "A coefficient of agreement for nominal scales".
    Raises: InvalidInput where they did not choose for the same items.
    """
    if len(ones) != len(others) or not ones:
        raise InvalidInput(
            f"{len(ones)} and {len(others)} choices: kappa needs two of each item, and at least one item"
        )
    observed = sum(one == other for one, other in zip(ones, others, strict=True)) / len(ones)
    first, second = Counter(ones), Counter(others)
    expected = sum(first[name] * second[name] for name in first) / len(ones) ** 2
    return _beyond_chance(observed, expected)


def fleiss_kappa(choices: Sequence[Sequence[str]]) -> float:
    """Give the agreement beyond chance of any number of people, in [-1, 1]; one sequence of choices an item.

    Source: Fleiss 1971, "Measuring nominal scale agreement among many raters".
    Raises: InvalidInput where items have fewer than two choices, or not the same number of them.
    """
    people = {len(item) for item in choices}
    if len(people) != 1 or min(people) < 2:
        raise InvalidInput(f"items with {sorted(people)} choices: each needs the same number, at least 2")
    raters = people.pop()
    counts = [Counter(item) for item in choices]
    pairs = raters * (raters - 1)
    observed = float(np.mean([sum(n * (n - 1) for n in count.values()) / pairs for count in counts]))
    total = Counter(name for item in choices for name in item)
    expected = sum((n / (raters * len(choices))) ** 2 for n in total.values())
    return _beyond_chance(observed, expected)


def mean_pairwise(answers: Sequence[Sequence[Box]], *, same_from: float = SAME_FROM) -> float:
    """Give the mean agreement over all pairs of answers, in [0, 1]; 1 for a single answer."""
    pairs = [box_agreement(one, other, same_from=same_from) for one, other in combinations(answers, 2)]
    return float(np.mean(pairs)) if pairs else 1.0


def _beyond_chance(observed: float, expected: float) -> float:
    return 1.0 if expected >= 1.0 else (observed - expected) / (1.0 - expected)


def _gain(one: Box, other: Box, same_from: float) -> float:
    shared = overlap(one, other) if one.class_name == other.class_name else 0.0
    return shared if shared >= same_from else 0.0


def _area(box: Box) -> float:
    return (box.x_max - box.x_min) * (box.y_max - box.y_min)
