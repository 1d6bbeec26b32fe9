import numpy as np
import pytest
from scipy import stats

from al_platform.experiments.intervals import percentile_limits, resamples, t_interval


def test_t_interval_on_numbers_done_by_hand():
    # 1, 2, 3: mean 2, s = 1, t(2, 0.975) = 4.302653, half width 4.302653 / sqrt(3)
    found = t_interval([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.half_width == pytest.approx(4.302652729911275 / np.sqrt(3))
    assert found.significant is False
    assert found.seeds == 3


@pytest.mark.parametrize("count", [2, 5, 11])
def test_t_interval_is_the_textbook_one(count):
    values = np.random.default_rng(count).normal(0.3, 0.1, count)
    low, high = stats.t.interval(0.95, count - 1, loc=values.mean(), scale=stats.sem(values))
    found = t_interval(values)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_one_seed_has_a_mean_and_no_interval_and_says_so():
    found = t_interval([0.4])
    assert (found.mean, found.low, found.high, found.half_width, found.significant) == (
        0.4,
        None,
        None,
        None,
        None,
    )
    assert "one seed" in found.note


def test_no_seed_has_nothing_and_says_so():
    found = t_interval([float("nan")])
    assert found.mean is None
    assert found.note


def test_resamples_are_the_same_every_time_and_weigh_one():
    weights_WS, times_W = resamples(5)
    again_WS, again_W = resamples(5)
    np.testing.assert_array_equal(weights_WS, again_WS)
    np.testing.assert_array_equal(times_W, again_W)
    np.testing.assert_allclose(weights_WS.sum(axis=1), 1.0)
    assert times_W.sum() == 2000
    # 5 seeds have 126 distinct resamples
    assert len(weights_WS) <= 126


def test_percentiles_are_those_of_the_values_written_out():
    values, times = np.array([3.0, 1.0, 2.0]), np.array([50, 30, 920])
    written_out = np.repeat(values, times)
    expected = np.quantile(written_out, [0.025, 0.975], method="inverted_cdf")
    assert percentile_limits(values, times) == tuple(expected)


def test_percentiles_may_be_infinite():
    low, high = percentile_limits(np.array([-np.inf, 1.0, 2.0]), np.array([100, 800, 100]))
    assert low == -np.inf
    assert high == 2.0
