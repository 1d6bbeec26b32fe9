import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sim.nearest import smallest

COUNT = 512
found = jax.jit(jax.vmap(smallest, in_axes=(0, None)), static_argnums=1)


def spread(seed: int, present: int) -> np.ndarray:
    """Squared distances of agents spread over a square of 400 m; infinite for those that are not there."""
    rng = np.random.default_rng(seed)
    squared = (rng.uniform(-200.0, 200.0, (COUNT, 2)) ** 2).sum(axis=1).astype(np.float32)
    squared[rng.permutation(COUNT)[present:]] = np.inf
    return squared


CASES = {
    "everybody": spread(0, COUNT),
    "as many as wanted": spread(1, 64),
    "fewer than wanted": spread(2, 9),
    "nobody": spread(3, 0),
    "equal distances": np.round(spread(4, COUNT) / 5000.0) * 5000.0,
    "all in one place": np.full(COUNT, 25.0, np.float32),
    "all very near": spread(5, COUNT) * np.float32(1e-6),
    "all beyond the levels": spread(6, COUNT) * np.float32(1e6),
    "in rising order": np.sort(spread(7, COUNT)),
    "in falling order": np.sort(spread(8, COUNT))[::-1],
}


@pytest.mark.parametrize("wanted", [5, 64])
@pytest.mark.parametrize("name", CASES)
def test_the_smallest_come_in_the_order_of_a_stable_sort(name: str, wanted: int) -> None:
    costs = CASES[name].astype(np.float32)
    present = min(wanted, int(np.isfinite(costs).sum()))
    index, valid = found(jnp.asarray(costs)[None], wanted)
    assert valid[0].sum() == present
    assert valid[0, :present].all()
    np.testing.assert_array_equal(index[0, :present], np.argsort(costs, kind="stable")[:present])


def test_one_crowded_scene_does_not_change_the_others() -> None:
    """It has more candidates than there is room for, so that the whole batch is sorted."""
    costs = jnp.asarray(np.stack([CASES["everybody"], CASES["all in one place"], CASES["fewer than wanted"]]))
    together, _ = found(costs, 64)
    for row, one in enumerate(costs):
        alone, valid = smallest(one, 64)
        np.testing.assert_array_equal(together[row][valid], alone[valid])


def test_more_than_the_fast_way_takes_are_sorted() -> None:
    costs = CASES["everybody"]
    index, valid = found(jnp.asarray(costs)[None], 200)
    assert valid.all()
    np.testing.assert_array_equal(index[0], np.argsort(costs, kind="stable")[:200])
