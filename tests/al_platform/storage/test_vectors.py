"""Claims about the approximate index: it finds most of what comparing everything finds."""

from pathlib import Path

import numpy as np
import pytest

from acquisition.similarity import example_direction, most_similar
from al_platform.errors import InvalidInput, StorageUnavailable
from al_platform.storage.vectors import VectorIndex


@pytest.fixture
def embeddings() -> np.ndarray:
    rng = np.random.default_rng(0)
    return (rng.normal(size=(50, 16))[rng.integers(0, 50, 20_000)] + 0.3 * rng.normal(size=(20_000, 16))).astype(
        np.float32
    )


def test_most_of_the_nearest_are_found_and_none_that_is_not_allowed(tmp_path: Path, embeddings: np.ndarray) -> None:
    VectorIndex.build(tmp_path / "vectors", embeddings)
    index = VectorIndex.open(tmp_path / "vectors")
    allowed = np.random.default_rng(1).random(len(embeddings)) < 0.3
    shares = []
    for example in range(20):
        exact, _ = most_similar(embeddings, [example], 10, allowed=allowed)
        asked = allowed & (np.arange(len(embeddings)) != example)
        found, products = index.nearest(example_direction(embeddings, [example]), 10, allowed=asked)
        assert asked[found].all()
        assert (np.diff(products) <= 0).all()
        shares.append(np.isin(exact, found).mean())
    assert np.mean(shares) > 0.9


def test_the_same_embeddings_give_the_same_index(tmp_path: Path, embeddings: np.ndarray) -> None:
    first, second = (VectorIndex.build(tmp_path / name, embeddings) for name in ("one", "two"))
    direction = example_direction(embeddings, [3])
    np.testing.assert_array_equal(first.nearest(direction, 50)[0], second.nearest(direction, 50)[0])


def test_a_few_vectors_are_an_index_too(tmp_path: Path) -> None:
    index = VectorIndex.build(tmp_path / "vectors", np.eye(3, dtype=np.float32))
    assert index.nearest(np.array([0.0, 1.0, 0.1]), 5)[0].tolist() == [1, 2, 0]


def test_what_is_broken_says_how_to_mend_it(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="build it again"):
        VectorIndex.open(tmp_path / "nothing")
    (tmp_path / "broken").write_bytes(b"no index")
    with pytest.raises(StorageUnavailable, match="build it again"):
        VectorIndex.open(tmp_path / "broken")
    with pytest.raises(InvalidInput, match="0 embeddings: at least one"):
        VectorIndex.build(tmp_path / "empty", np.zeros((0, 3), np.float32))
