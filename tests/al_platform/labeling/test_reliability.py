"""How far labels can be relied on, and what that does to the loss of a tiny case, against the definitions."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from al_platform.domain.labels import Answer, Box
from al_platform.labeling.reliability import task_reliability
from al_platform.training.fit import binary_cross_entropy

HERE, THERE = Box("person", 0, 0, 10, 10), Box("person", 50, 50, 60, 60)


def said(task: str, who: str, *boxes: Box, **more: Any) -> Answer:
    return Answer(task, f"{task} {who}", who, "2026-01-01T00:00:00.000000Z", boxes=boxes, **more)


def test_a_label_counts_less_where_people_disagree_and_wholly_where_nothing_is_known() -> None:
    answers = [
        *(said("same", who, HERE) for who in ("ann", "bob")),
        said("apart", "ann", HERE, THERE),
        said("apart", "bob", HERE),
        said("alone", "eve", HERE),
    ]
    # ann and bob agree by 1 and by 2 * 1 / 3, so each is trusted by the mean of both; nobody measured eve
    trust = (1 + 2 / 3) / 2
    expected = {"same": trust, "apart": 2 / 3 * trust, "alone": 1.0}
    assert task_reliability(answers) == pytest.approx(expected)


def test_who_misses_gold_items_weighs_less_in_all_that_he_labels() -> None:
    answers = [
        said("gold 1", "bob", THERE),
        said("gold 2", "bob", HERE),
        said("gold 1", "ann", HERE),
        said("other", "bob", HERE),
        said("more", "ann", HERE),
    ]
    found = task_reliability(answers, gold={"gold 1": [HERE], "gold 2": [HERE]})
    assert found["other"] == pytest.approx(0.5)
    assert found["more"] == 1.0


def test_what_a_reviewer_decided_is_certain_and_measures_the_others() -> None:
    answers = [said("a", "bob", THERE), said("a", "judge", HERE, decisive=True), said("b", "bob", HERE)]
    assert task_reliability(answers) == {"a": 1.0, "b": 0.0}


def test_rejections_and_what_cannot_be_used_say_nothing() -> None:
    assert task_reliability([said("a", "bob", rejected="blurred"), said("b", "ann", problem="no such class")]) == {}
    assert task_reliability([]) == {}


def test_the_loss_of_doubted_labels_is_the_weighted_mean_of_the_definition() -> None:
    draw = np.random.default_rng(0)
    logits, presence = draw.normal(size=(4, 2, 3, 3)), draw.integers(0, 2, (4, 2, 3, 3)).astype(np.uint8)
    presence[1, 0, 0, 0] = 255
    weights = np.array([1.0, 0.25, 0.0, 0.5])
    total, known = 0.0, 0.0
    for place in np.ndindex(*presence.shape):
        if presence[place] != 255:
            chance = 1 / (1 + np.exp(-logits[place]))
            total -= weights[place[0]] * np.log(chance if presence[place] == 1 else 1 - chance)
            known += weights[place[0]]
    loss = binary_cross_entropy(jnp.asarray(logits), jnp.asarray(presence), jnp.asarray(weights))
    assert float(loss) == pytest.approx(total / known, rel=1e-5)
