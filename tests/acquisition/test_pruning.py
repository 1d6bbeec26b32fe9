"""Claims about finding the best frames of a stream without scoring all of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition.measures import frame_scores
from acquisition.pruning import TopFrames, frame_bounds, top_frames

MEMBERS, CLASSES, ROWS, COLUMNS = 3, 2, 3, 5
BATCHES = (17, 20, 17, 1)  # Few different sizes: each is compiled once.
scored = jax.jit(frame_scores)


def stream(kind: str, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    frames = sum(BATCHES)
    shape = (MEMBERS, frames, CLASSES, ROWS, COLUMNS)
    match kind:
        case "everyday":
            logits = rng.normal(-4.0, 1.0, shape) * rng.gamma(1.0, 1.0, (1, frames, CLASSES, 1, 1))
        case "all the same":
            logits = np.broadcast_to(rng.normal(0.0, 1.0, (MEMBERS, 1, 1, ROWS, COLUMNS)), shape)
        case "few different frames, many ties":
            logits = rng.normal(-1.0, 1.0, (MEMBERS, 4, 1, ROWS, COLUMNS))[:, rng.integers(0, 4, frames)]
            logits = np.broadcast_to(logits, shape)
        case "agreement up to rounding":
            logits = rng.normal(-6.0, 3.0, shape[1:]) + 1e-6 * rng.normal(size=shape)
        case "open dissent, loose bounds":
            logits = rng.normal(0.0, 40.0, shape)
        case "bound and score in opposite order":
            logits = np.where(rng.random(shape) < 0.5, -1.0, 1.0) * rng.uniform(0.5, 30.0, (1, frames, CLASSES, 1, 1))
        case "rising, so that nothing is settled early":
            logits = rng.normal(-3.0, 1.0, shape) * np.linspace(0.1, 1.0, frames)[:, None, None, None]
        case _:
            logits = np.full(shape, -20.0)
    return np.split(logits.astype(np.float32), np.cumsum(BATCHES)[:-1], axis=1)


KINDS = (
    "everyday",
    "all the same",
    "few different frames, many ties",
    "agreement up to rounding",
    "open dissent, loose bounds",
    "bound and score in opposite order",
    "rising, so that nothing is settled early",
    "nothing anywhere",
)


def ranked_exactly(batches: list[np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Every frame's score, the best first; ties by index."""
    scores = np.concatenate([np.asarray(scored(jnp.asarray(batch))) for batch in batches])
    order = np.stack([np.lexsort((np.arange(len(scores)), -scores[:, k]))[:count] for k in range(CLASSES)])
    return order, np.take_along_axis(scores.T, order, axis=1)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(KINDS), st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 5, 30, 55, 100]))
def test_the_best_frames_are_those_of_an_exact_ranking_in_its_order(kind: str, seed: int, count: int) -> None:
    batches = stream(kind, seed)
    top = top_frames(iter(batches), count)
    order, scores = ranked_exactly(batches, count)
    np.testing.assert_array_equal(top.frames, order)
    np.testing.assert_array_equal(top.scores, scores)


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(KINDS), st.integers(0, 2**32 - 1))
def test_no_frame_exceeds_its_bound(kind: str, seed: int) -> None:
    for batch in stream(kind, seed):
        assert (np.asarray(scored(jnp.asarray(batch))) <= np.asarray(frame_bounds(jnp.asarray(batch)))).all()


def test_how_the_stream_is_cut_into_batches_does_not_matter() -> None:
    batches = stream("everyday", 0)
    whole = top_frames([np.concatenate(batches, axis=1)], 5)
    parts = top_frames(batches, 5)
    np.testing.assert_array_equal(parts.frames, whole.frames)
    np.testing.assert_array_equal(parts.scores, whole.scores)


def test_most_frames_of_a_varied_pool_are_passed_over() -> None:
    rng = np.random.default_rng(0)
    doubts = rng.gamma(0.3, 1.0, (1, 4_000, 1, 1, 1))
    logits = (doubts * rng.normal(0.0, 1.0, (MEMBERS, 4_000, 1, ROWS, COLUMNS)) - 4.0).astype(np.float32)
    assert top_frames(np.split(logits, 20, axis=1), 10).exact_share < 0.3


def test_the_best_come_first_and_all_come_where_there_are_fewer() -> None:
    top = top_frames(stream("everyday", 1), 1_000)
    assert isinstance(top, TopFrames)
    assert top.frames.shape == (CLASSES, sum(BATCHES))
    assert (np.diff(top.scores) <= 0).all()
    assert top.exact_share == 1.0


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_not_finite_is_named_and_refused(broken: float) -> None:
    batches = stream("everyday", 2)
    batches[1][2, 3, 1, 0, 0] = broken
    with pytest.raises(ValueError, match="frame 20, class 1: a logit is not finite"):
        top_frames(batches, 3)


def test_what_cannot_be_chosen_from_is_refused() -> None:
    batches = stream("everyday", 3)
    with pytest.raises(ValueError, match="budget 0: must be at least 1"):
        top_frames(batches, 0)
    with pytest.raises(ValueError, match="no frame in any batch"):
        top_frames([], 3)
    with pytest.raises(ValueError, match="batch of 1 classes after batches of 2"):
        top_frames(iter([batches[0], batches[1][:, :, :1]]), 3)  # of a list the type checker looks at one by chance
