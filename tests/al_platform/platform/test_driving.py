"""What is said of drives: means, intervals, strata and reasons."""

import numpy as np
import pytest

from al_platform.domain.scenarios import ScenarioReference
from al_platform.platform.driving import RATES, DrivenScenario, estimate, estimates, strata


def drive(
    number: int, *, tags: tuple[str, ...] = (), events: dict[str, float] | None = None, **more: float
) -> DrivenScenario:
    happened = events or {}
    reference = ScenarioReference(
        *(f"scn_{number}", "generated", f"generated/{number}", str(number), "", ""),
        *(151, 2, 2, 0, 0, 0, 0, 100.0, 50.0, "", 0),
        tags=tags,
    )
    rates = {rate: float(rate in happened) for rate in RATES}
    rates["failure"] = float(bool({"collision", "off_route"} & set(happened)))
    return DrivenScenario(reference, happened, {**rates, **more})


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
    hit = {"collision": 1.0}
    driven = [drive(0, tags=("merge",)), drive(1, tags=("merge", "cut-in"), events=hit), drive(2, tags=("roundabout",))]
    driven.append(drive(3))
    found = [(stratum.name, stratum.failures, stratum.scenarios) for stratum in strata(driven)]
    assert found == [("cut-in", 1, 1), ("merge", 1, 2), ("generated", 0, 1), ("roundabout", 0, 1)]


def test_a_reason_tells_what_happened_first() -> None:
    failed = drive(0, events={"off_route": 4.0, "collision": 3.2})
    assert failed.failed
    assert failed.reason == "collision at 3.2 s (not at fault), off route at 4.0 s"
    assert drive(0).reason == ""
