"""Licences: what is not certain is refused, and every reason is told."""

from dataclasses import replace

import pytest

from al_platform.domain.judging import Estimate, Evaluation, JudgeSpec, Stratum
from al_platform.domain.licences import LicenceSpec
from al_platform.errors import InvalidInput
from al_platform.platform.licences import decide

SPEC = LicenceSpec("town", "sui_1", {"failure": 0.05, "red_light": 0.05}, least_progress=0.9, worst_stratum=0.2)


def evaluation(*, scenarios: int = 200, failure: float = 0.0, progress: float = 0.95) -> Evaluation:
    measures = {
        "failure": Estimate(failure, failure, failure, scenarios),
        "red_light": Estimate(0.0, 0.0, 0.0, scenarios),
        "progress_ratio": Estimate(progress, progress - 0.01, progress + 0.01, scenarios),
    }
    strata = (Stratum("merge", 3, 3.0), Stratum("night", scenarios // 2, failure * scenarios / 2))
    return Evaluation("evl_1", "pol_1", "sui_1", JudgeSpec(), "results", measures, strata, (failure,), 1.0)


def test_who_is_good_for_sure_gets_it() -> None:
    found = decide("lic_1", SPEC, evaluation())
    assert found.issued, found.reasons
    assert found.reasons == ()
    assert [check.what for check in found.checks] == ["failure", "red light", "progress", "worst stratum night"]


def test_who_never_failed_in_few_scenarios_does_not() -> None:
    """Of none in 50 the rate may yet be 7 %, though a bootstrap of 50 zeros has no width."""
    found = decide("lic_1", SPEC, evaluation(scenarios=50))
    assert not found.issued
    assert len(found.reasons) == 2
    assert found.reasons[0].startswith("failure: 0.00 % of 50 scenarios, surely at most 7.11 %; asked is 5.00 %")


def test_every_reason_is_told() -> None:
    found = decide("lic_1", SPEC, evaluation(failure=0.2, progress=0.9))
    assert [reason.split(":")[0] for reason in found.reasons] == ["failure", "progress", "worst stratum night"]


def test_more_failures_never_earn_a_licence() -> None:
    bounds = [decide("lic_1", SPEC, evaluation(failure=failed / 200)).checks[0].bound for failed in range(20)]
    assert bounds == sorted(bounds, key=lambda bound: bound or 0.0)


def test_small_strata_say_nothing_and_none_is_a_reason() -> None:
    assert (
        decide("lic_1", replace(SPEC, stratum_scenarios=3), evaluation()).reasons[0].startswith("worst stratum merge")
    )
    found = decide("lic_1", replace(SPEC, stratum_scenarios=1000), evaluation())
    assert found.reasons == ("worst stratum: no tag has 1000 scenarios",)


def test_what_no_scenario_has_is_a_reason() -> None:
    bare = replace(evaluation(), measures={"failure": Estimate(0.0, 0.0, 0.0, 200)})
    assert decide("lic_1", SPEC, bare).reasons == ("red light: no scenario has it", "progress: no scenario has it")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"at_most": {}, "least_progress": None, "worst_stratum": None}, "asks for nothing"),
        ({"at_most": {"failures": 0.1}}, "rate 'failures': must be one of failure, "),
        ({"at_most": {"failure": 0.0}}, "no bound is ever 0"),
        ({"worst_stratum": 1.5}, "at most 1"),
        ({"least_progress": -1.0}, "must be a number above 0"),
        ({"least_progress": float("inf")}, "progress inf: must be a number above 0"),
        ({"stratum_scenarios": 0}, "must be at least 1"),
        ({"name": ""}, "without a name"),
    ],
)
def test_a_licence_that_cannot_be_is_refused(changes: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        replace(SPEC, **changes)  # type: ignore[arg-type]
