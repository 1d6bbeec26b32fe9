"""Claims about reductions of maps and about the measures of frames."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from acquisition.information import (
    expected_entropy,
    mean_probability,
    mutual_information,
    predictive_entropy,
    probability_variance,
)
from acquisition.measures import FrameMeasures, frame_measures, frame_scores
from acquisition.reductions import REDUCTIONS, top_mean

measured = jax.jit(frame_measures)
scored = jax.jit(frame_scores, static_argnums=1)
FIELDS = [field.name for field in dataclasses.fields(FrameMeasures)]


def some_logits(members: int = 4, frames: int = 3, classes: int = 2, rows: int = 5, columns: int = 6) -> np.ndarray:
    rng = np.random.default_rng(3)
    return rng.normal(-1.0, 2.0, (members, frames, classes, rows, columns)).astype(np.float32)


def in_padding(logits: np.ndarray, fill: float) -> tuple[np.ndarray, np.ndarray]:
    """The same frames in a larger grid, with `fill` around them."""
    padded = np.full((*logits.shape[:3], logits.shape[3] + 2, logits.shape[4] + 3), fill, np.float32)
    padded[..., : logits.shape[3], : logits.shape[4]] = logits
    valid = np.zeros((logits.shape[1], *padded.shape[3:]), np.bool_)
    valid[:, : logits.shape[3], : logits.shape[4]] = True
    return padded, valid


def slow_reduction(name: str, cells: np.ndarray) -> float:
    best_first = np.sort(cells.astype(np.float64))[::-1]
    match name:
        case "mean":
            return float(best_first.mean())
        case "max":
            return float(best_first[0])
        case "sum":
            return float(best_first.sum())
        case _:
            return float(best_first[: math.ceil(0.01 * best_first.size)].mean())


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (20, 17)])
def test_a_frame_score_is_the_reduction_of_its_map(name: str, shape: tuple[int, int]) -> None:
    logits = jnp.asarray(some_logits(rows=shape[0], columns=shape[1]))
    maps = np.asarray(mutual_information(logits))
    expected = [[slow_reduction(name, maps[b, k].ravel()) for k in range(2)] for b in range(3)]
    np.testing.assert_allclose(frame_scores(logits, name), expected, rtol=1e-5)
    np.testing.assert_allclose(scored(logits, name), expected, rtol=1e-5)


def test_measures_are_the_reductions_of_the_maps_that_they_are_named_for() -> None:
    logits = jnp.asarray(some_logits(rows=20, columns=17))
    measures = measured(logits)
    information = mutual_information(logits)
    for field, name in {"mi_sum": "sum", "mi_mean": "mean", "mi_max": "max", "mi_top": "top"}.items():
        np.testing.assert_allclose(getattr(measures, field), scored(logits, name), rtol=1e-5)
    for field, of_cell in {
        "entropy_sum": predictive_entropy,
        "expected_entropy_sum": expected_entropy,
        "variance_sum": probability_variance,
        "mass_sum": mean_probability,
    }.items():
        np.testing.assert_allclose(getattr(measures, field), of_cell(logits).sum(axis=(-2, -1)), rtol=1e-5)
    share = 1 - information.sum(axis=(-2, -1)) / predictive_entropy(logits).sum(axis=(-2, -1))
    np.testing.assert_allclose(measures.aleatoric_share, share, rtol=1e-5)


@pytest.mark.parametrize("fill", [0.0, 50.0, np.nan, np.inf])
def test_padding_changes_no_measure_whatever_it_holds(fill: float) -> None:
    logits = some_logits()
    padded, valid = in_padding(logits, fill)
    plain, masked = (
        measured(jnp.asarray(logits)),
        measured(jnp.asarray(padded), jnp.asarray(valid)),
    )
    for field in FIELDS:
        np.testing.assert_allclose(getattr(masked, field), getattr(plain, field), rtol=1e-5, err_msg=field)
    for name in REDUCTIONS:
        scores = scored(jnp.asarray(padded), name, valid=jnp.asarray(valid))
        np.testing.assert_allclose(scores, scored(jnp.asarray(logits), name), rtol=1e-5, err_msg=name)


def test_a_frame_without_valid_cells_holds_nothing_to_learn() -> None:
    logits = jnp.asarray(some_logits())
    measures = measured(logits, jnp.zeros((3, 5, 6), jnp.bool_))
    for field in FIELDS:
        expected = 1.0 if field == "aleatoric_share" else 0.0
        np.testing.assert_array_equal(getattr(measures, field), np.full((3, 2), expected), err_msg=field)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_one_logit_that_is_not_finite_spoils_its_frame_and_class_and_no_other(broken: float) -> None:
    logits = some_logits()
    logits[2, 1, 0, 4, 5] = broken
    measures = measured(jnp.asarray(logits))
    for field in FIELDS:
        spoilt = np.isnan(np.asarray(getattr(measures, field)))
        np.testing.assert_array_equal(spoilt, [[False, False], [True, False], [False, False]], err_msg=field)


def test_jit_and_vmap_give_what_a_plain_loop_gives() -> None:
    logits = jnp.asarray(some_logits())
    alone = [frame_measures(logits[:, frame]) for frame in range(3)]
    loop = jax.tree.map(lambda *frames: jnp.stack(frames), *alone)
    for many in (measured(logits), jax.vmap(frame_measures, in_axes=1)(logits)):
        for field in FIELDS:
            np.testing.assert_allclose(getattr(many, field), getattr(loop, field), rtol=1e-5, err_msg=field)


def test_measures_travel_to_the_host_and_stack_as_any_pytree() -> None:
    measures = measured(jnp.asarray(some_logits()))
    host = jax.device_get(measures)
    assert isinstance(host, FrameMeasures)
    assert isinstance(host.mi_sum, np.ndarray)
    stacked = jax.tree.map(lambda *chunks: np.concatenate(chunks), host, host)
    assert stacked.mi_sum.shape == (6, 2)


def test_the_top_share_runs_from_the_largest_cell_to_the_mean() -> None:
    cells = jnp.asarray([[4.0, 1.0, 3.0, 2.0]])
    assert float(top_mean(cells, share=0.01)[0]) == 4.0
    assert float(top_mean(cells, share=0.5)[0]) == 3.5
    assert float(top_mean(cells, share=1.0)[0]) == 2.5


@pytest.mark.parametrize("share", [0.0, -0.1, 1.01, math.nan])
def test_a_top_share_that_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="must be in"):
        top_mean(jnp.ones((1, 4)), share=share)


def test_an_unknown_reduction_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'median': must be one of mean, max, top, sum"):
        frame_scores(jnp.asarray(some_logits()), "median")
