"""What is said of drives: means, intervals, strata and reasons."""

import numpy as np
import pytest
from scipy.stats import binom

from al_platform.domain.judging import RATES, SuiteScenario
from al_platform.policies.driven import (
    DrivenScenario,
    estimate,
    estimates,
    member_failures,
    paired_differences,
    strata,
    surely_at_most,
)


def drive(
    number: int,
    *,
    tags: tuple[str, ...] = (),
    events: dict[str, float] | None = None,
    member: int = 0,
    variation: int = 0,
    **more: float,
) -> DrivenScenario:
    happened = events or {}
    scenario = SuiteScenario(f"scn_{number}", f"generated/{number}", str(number), "generated", tags)
    rates = {rate: float(rate in happened) for rate in RATES}
    rates["failure"] = float(bool({"collision", "off_route"} & set(happened)))
    return DrivenScenario(scenario, happened, {**rates, **more}, member, variation)


HIT = {"collision": 1.0}


def test_the_interval_of_a_mean_is_that_of_the_central_limit() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, 400)
    found = estimate(values)
    error = 1.96 * values.std() / np.sqrt(len(values))
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - error, abs=0.03)
    assert found.high == pytest.approx(values.mean() + error, abs=0.03)


def test_a_measure_that_never_varies_has_an_interval_of_no_width() -> None:
    found = estimate(np.zeros(7))
    assert (found.mean, found.low, found.high, found.scenarios) == (0.0, 0.0, 0.0, 7)


def test_scenarios_without_a_measure_do_not_count_for_it() -> None:
    found = estimates([drive(0, progress_ratio=0.5), drive(1, progress_ratio=float("nan"))])
    assert (found["progress_ratio"].mean, found["progress_ratio"].scenarios) == (0.5, 1)
    assert found["failure"].scenarios == 2
    assert estimates([]) == {}


def test_strata_are_ordered_by_the_share_that_failed() -> None:
    driven = [drive(0, tags=("merge",)), drive(1, tags=("merge", "cut-in"), events=HIT), drive(2, tags=("roundabout",))]
    driven.append(drive(3))
    found = [(stratum.name, stratum.failures, stratum.scenarios) for stratum in strata(driven)]
    assert found == [("cut-in", 1, 1), ("merge", 1, 2), ("generated", 0, 1), ("roundabout", 0, 1)]


def test_a_reason_tells_what_happened_first() -> None:
    failed = drive(0, events={"off_route": 4.0, "collision": 3.2})
    assert failed.failed
    assert failed.reason == "collision at 3.2 s (not at fault), off route at 4.0 s"
    assert drive(0).reason == ""


def test_the_drivers_of_a_policy_share_their_scenario() -> None:
    """Intervals come from scenarios: eight drivers who fail one of two scenes tell no more than one driver does."""
    one = [drive(0, events=HIT), drive(1)]
    eight = [drive(number, events=HIT if number == 0 else None, member=m) for m in range(8) for number in range(2)]
    assert estimates(eight) == estimates(one)
    half = [drive(0, events=HIT), drive(0, member=1), drive(1), drive(1, member=1)]
    assert estimates(half)["failure"].mean == 0.25
    assert strata(half)[0].failures == 0.5
    assert member_failures(half) == (0.5, 0.0)


def test_a_measure_that_some_drivers_lack_is_that_of_the_others() -> None:
    found = estimates([drive(0, progress_ratio=0.5), drive(0, member=1, progress_ratio=float("inf"))])
    assert (found["progress_ratio"].mean, found["progress_ratio"].scenarios) == (0.5, 1)


def test_differences_are_paired_by_scenario_whatever_the_order() -> None:
    """Drives that differ by 0.1 each differ by 0.1 for sure, however much the scenarios differ."""
    ratios = np.random.default_rng(0).uniform(0.0, 10.0, 20)
    before = [drive(number, progress_ratio=ratio) for number, ratio in enumerate(ratios)]
    after = [drive(number, progress_ratio=ratio + 0.1) for number, ratio in reversed(list(enumerate(ratios)))]
    found = paired_differences(before, after)["progress_ratio"]
    assert (found.low, found.mean, found.high) == pytest.approx((0.1, 0.1, 0.1))
    same = paired_differences(before, before)["progress_ratio"]
    assert (same.low, same.mean, same.high) == (0.0, 0.0, 0.0)


def test_differences_have_the_interval_of_a_paired_bootstrap() -> None:
    generator = np.random.default_rng(1)
    before = [drive(n, events=HIT if generator.random() < 0.4 else None) for n in range(300)]
    after = [drive(n, events=HIT if generator.random() < 0.2 else None) for n in range(300)]
    change = np.array([b.failed - float(a.failed) for a, b in zip(before, after, strict=True)])
    found, error = paired_differences(before, after)["failure"], 1.96 * change.std() / np.sqrt(300)
    assert found.mean == pytest.approx(change.mean())
    assert found.low == pytest.approx(change.mean() - error, abs=0.01)
    assert found.high == pytest.approx(change.mean() + error, abs=0.01)


def test_what_was_never_seen_in_few_scenarios_may_yet_be_frequent() -> None:
    assert surely_at_most(0.0, 100) == pytest.approx(1.0 - 0.025 ** (1 / 100))
    assert surely_at_most(1.0, 5) == 1.0
    for failed, scenarios in ((0, 1), (1, 20), (7, 50), (49, 50)):
        bound = surely_at_most(failed / scenarios, scenarios)
        assert binom.cdf(failed, scenarios, bound) == pytest.approx(0.025)
    assert surely_at_most(0.01, 100) > surely_at_most(0.0, 100) > surely_at_most(0.0, 1000)
