"""Measures of scenes against float64 from their definitions, and their laws."""

from dataclasses import fields

import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from acquisition import FrameMeasures
from acquisition.scenes import action_measures, outcome_measures, progress_measures, surprise_measures

M, D, B, T, A, S = 3, 4, 2, 6, 5, 3
VALUES = np.linspace(-2.0, 2.0, A)


def bernoulli(share: np.ndarray) -> np.ndarray:
    return np.asarray(stats.entropy(np.stack([share, 1.0 - share]), axis=0))


def numbers(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 2.0, shape).astype(np.float32)


def logits(seed: int = 0) -> tuple[jnp.ndarray, jnp.ndarray]:
    return jnp.asarray(numbers(seed, M, B, T, A)), jnp.asarray(numbers(seed + 1, M, B, T, S))


def shares(raw: jnp.ndarray) -> np.ndarray:
    powers = np.exp(np.asarray(raw, np.float64))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


TAKEN = np.random.default_rng(5).integers(0, (A, S), (B, T, 2))
VALID = np.arange(T)[None] < np.array([[T], [4]])


def closes(found: FrameMeasures, **wanted: np.ndarray) -> None:
    for name, values in wanted.items():
        np.testing.assert_allclose(getattr(found, name), values, rtol=2e-4, atol=2e-5, err_msg=name)


def test_outcomes_are_a_map_of_one_cell() -> None:
    happened = np.random.default_rng(1).integers(0, D + 1, (M, B, 2)) / D
    whole, own = bernoulli(happened.mean(axis=0)), bernoulli(happened).mean(axis=0)
    closes(
        outcome_measures(jnp.asarray(happened, jnp.float32)),
        **dict.fromkeys(("mi_sum", "mi_mean", "mi_max", "mi_top"), whole - own),
        entropy_sum=whole,
        expected_entropy_sum=own,
        variance_sum=happened.var(axis=0),
        mass_sum=happened.mean(axis=0),
        aleatoric_share=own / whole,
    )


def test_progress_parts_the_variance_between_drivers_from_that_of_their_luck() -> None:
    metres = 50.0 + 5.0 * numbers(2, M, D, B).astype(np.float64)
    between, within = metres.mean(axis=1).var(axis=0), metres.var(axis=1).mean(axis=0)
    found = progress_measures(jnp.asarray(metres, jnp.float32))
    closes(found, mi_mean=between, entropy_sum=metres.var(axis=(0, 1)), mass_sum=metres.mean(axis=(0, 1)))
    closes(found, aleatoric_share=within / (between + within))


def test_the_action_is_judged_over_the_valid_steps_by_the_joint_choice() -> None:
    pair = logits()
    first, second = (shares(raw) for raw in pair)
    joint = (first[..., :, None] * second[..., None, :]).reshape(M, B, T, A * S)
    own = stats.entropy(joint, axis=-1).mean(axis=0)
    information = stats.entropy(joint.mean(axis=0), axis=-1) - own
    expected = (first * VALUES).sum(-1)
    chance = np.take_along_axis(joint.mean(axis=0), (TAKEN[..., 0] * S + TAKEN[..., 1])[..., None], -1)[..., 0]
    found = action_measures(
        pair, jnp.asarray(TAKEN), jnp.asarray(VALID), values=jnp.asarray(VALUES), tolerance_bins=(0.0, 0.0)
    )
    whole = np.where(VALID, information + own, 0.0).sum(-1)
    closes(
        found,
        mi_sum=np.where(VALID, information, 0.0).sum(-1),
        mi_mean=np.where(VALID, information, 0.0).sum(-1) / VALID.sum(-1),
        mi_max=np.where(VALID, information, 0.0).max(-1),
        entropy_sum=whole,
        variance_sum=np.where(VALID, expected.var(axis=0), 0.0).sum(-1),
        mass_sum=np.where(VALID, 1.0 - chance, 0.0).sum(-1),
        aleatoric_share=np.where(VALID, own, 0.0).sum(-1) / whole,
    )


def test_surprise_is_minus_the_log_of_the_mean_chance_of_what_was_taken() -> None:
    pair = logits(7)
    first, second = (shares(raw) for raw in pair)
    chance = np.take_along_axis(first, np.broadcast_to(TAKEN[..., :1], (M, B, T, 1)), -1)[..., 0]
    chance *= np.take_along_axis(second, np.broadcast_to(TAKEN[..., 1:], (M, B, T, 1)), -1)[..., 0]
    surprise = np.where(VALID, -np.log(chance.mean(axis=0)), 0.0)
    closes(
        surprise_measures(pair, jnp.asarray(TAKEN), jnp.asarray(VALID)),
        mi_mean=surprise.sum(-1) / VALID.sum(-1),
        mi_max=surprise.max(-1),
        variance_sum=np.where(VALID, chance.var(axis=0), 0.0).sum(-1),
    )


def all_measures(pair: tuple[jnp.ndarray, jnp.ndarray], happened: np.ndarray, progress: np.ndarray) -> list[np.ndarray]:
    taken, valid = jnp.asarray(TAKEN), jnp.asarray(VALID)
    each = (
        outcome_measures(jnp.asarray(happened, jnp.float32)),
        progress_measures(jnp.asarray(progress, jnp.float32)),
        action_measures(pair, taken, valid, values=jnp.asarray(VALUES), tolerance_bins=(1.0, 0.5)),
        surprise_measures(pair, taken, valid),
    )
    return [np.asarray(getattr(one, field.name)) for one in each for field in fields(FrameMeasures)]


def test_drivers_that_agree_carry_no_information() -> None:
    pair = tuple(jnp.tile(raw[:1], (M, 1, 1, 1)) for raw in logits())
    taken, valid = jnp.asarray(TAKEN), jnp.asarray(VALID)
    same = jnp.full((M, B, 1), 0.25)
    assert float(outcome_measures(same).mi_sum.max()) == 0.0
    assert float(progress_measures(jnp.tile(jnp.arange(4.0)[None, :, None], (M, 1, B))).mi_sum.max()) == 0.0
    judged = action_measures((pair[0], pair[1]), taken, valid, values=jnp.asarray(VALUES), tolerance_bins=(1.0, 0.5))
    assert float(judged.mi_max.max()) < 2e-6
    assert float(judged.aleatoric_share.min()) > 1.0 - 1e-5


def test_the_order_of_the_drivers_is_irrelevant() -> None:
    happened, progress = np.random.default_rng(3).random((M, B, 2)), numbers(4, M, D, B)
    order = [2, 0, 1]
    pair = logits(9)
    turned = (pair[0][jnp.asarray(order)], pair[1][jnp.asarray(order)])
    for one, other in zip(
        all_measures(pair, happened, progress), all_measures(turned, happened[order], progress[order]), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_steps_past_the_recording_change_nothing_whatever_is_in_them() -> None:
    pair = logits(11)
    odd = tuple(jnp.where(jnp.asarray(VALID)[None, ..., None], raw, 77.0) for raw in pair)
    happened, progress = np.zeros((M, B, 1)), np.zeros((M, D, B))
    for one, other in zip(
        all_measures(pair, happened, progress), all_measures((odd[0], odd[1]), happened, progress), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_logits_that_are_no_numbers_are_never_hidden(broken: float) -> None:
    pair = logits()
    torn = (pair[0].at[0, 1, 2, 0].set(broken), pair[1])
    found = surprise_measures(torn, jnp.asarray(TAKEN), jnp.asarray(VALID))
    assert not np.isfinite(found.mi_mean[1])
    assert np.isfinite(found.mi_mean[0])
