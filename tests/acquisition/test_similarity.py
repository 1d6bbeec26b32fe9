"""Claims about finding more items like some examples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition import similarity
from acquisition.similarity import most_similar


@st.composite
def pools(draw: st.DrawFn) -> dict:
    """Embeddings on a small grid: duplicates, opposite and empty vectors are the rule."""
    count = draw(st.integers(3, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    examples = rng.permutation(count)[: draw(st.integers(1, 3))].tolist()
    return {
        "embeddings_ND": rng.integers(-2, 3, (count, draw(st.integers(1, 4)))).astype(
            draw(st.sampled_from([np.float32, np.float64]))
        ),
        "positives": examples[:2],
        "negatives": examples[2:],
        "count": draw(st.integers(1, 70)),
        "allowed": rng.random(count) < draw(st.sampled_from([1.0, 0.4])),
    }


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / lengths) if lengths else 0.0


def by_definition(pool: dict) -> np.ndarray:
    vectors = pool["embeddings_ND"].astype(np.float64)
    return np.array(
        [
            np.mean([cosine(x, vectors[p]) for p in pool["positives"]])
            - (np.mean([cosine(x, vectors[n]) for n in pool["negatives"]]) if pool["negatives"] else 0.0)
            for x in vectors
        ]
    )


@pytest.mark.parametrize("block", [1, 7, 65_536])
def test_the_best_are_those_of_comparing_every_item_with_every_example(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similarity, "_BLOCK", block)

    @settings(max_examples=200, deadline=None)
    @given(pools())
    def check(pool: dict) -> None:
        rows, scores = most_similar(**pool)
        expected = by_definition(pool)
        np.testing.assert_allclose(scores, expected[rows], atol=1e-12)
        others = [row for row in np.flatnonzero(pool["allowed"]).tolist() if row not in rows]
        others = [row for row in others if row not in (*pool["positives"], *pool["negatives"])]
        assert len(rows) == pool["count"] or not others
        assert all(expected[row] <= scores[-1] + 1e-12 for row in others)
        for before, after in zip(range(len(rows)), range(1, len(rows)), strict=False):
            assert (-scores[before], rows[before]) < (-scores[after], rows[after])

    check()


def test_duplicates_come_in_the_order_of_their_rows_wherever_blocks_end(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    embeddings = np.repeat(rng.normal(size=(5, 33)).astype(np.float32), 200, axis=0)
    wanted = most_similar(embeddings, [0], 199)[0].tolist()
    assert wanted == list(range(1, 200))
    for block in (3, 64, 199):
        monkeypatch.setattr(similarity, "_BLOCK", block)
        assert most_similar(embeddings, [0], 199)[0].tolist() == wanted


def test_an_item_unlike_the_negatives_goes_before_one_like_them() -> None:
    embeddings = np.array([[1.0, 0.0], [1.0, 1.0], [1.0, -1.0], [0.0, 1.0]])
    rows, scores = most_similar(embeddings, [0], 2, negatives=[3])
    assert rows.tolist() == [2, 1]
    np.testing.assert_allclose(scores, [np.sqrt(2.0), 0.0], atol=1e-12)


def test_the_length_of_an_embedding_plays_no_part() -> None:
    rng = np.random.default_rng(1)
    embeddings = rng.normal(size=(300, 8))
    scaled = embeddings * rng.uniform(0.1, 10.0, (300, 1))
    assert most_similar(scaled, [4, 5], 20)[0].tolist() == most_similar(embeddings, [4, 5], 20)[0].tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"positives": []}, "no positive example"),
        ({"positives": [3]}, "example in row 3: the pool has 3 items"),
        ({"negatives": [0]}, "example in row 0: is both positive and negative"),
        ({"count": 0}, "budget 0: must be at least 1"),
        ({"embeddings_ND": np.array([[1.0], [np.nan], [0.0]])}, "embeddings in row 1: must be finite"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments: dict, message: str) -> None:
    good = {"embeddings_ND": np.ones((3, 1)), "positives": [0], "count": 1}
    with pytest.raises(ValueError, match=message):
        most_similar(**{**good, **arguments})
