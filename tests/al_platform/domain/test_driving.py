"""Rounds of scenarios: by what they pick where nobody says."""

import pytest

from al_platform.domain.driving import JUDGED, OUTCOMES, usual_strategy
from al_platform.loop.strategies import STRATEGIES


def test_events_go_by_how_many_drivers_they_happen_to() -> None:
    assert usual_strategy(OUTCOMES) == usual_strategy(("collision", "tag:jaywalker")) == "mass"
    assert "mass" in STRATEGIES


@pytest.mark.parametrize("judged", JUDGED)
def test_what_drivers_would_do_goes_by_their_disagreement(judged: str) -> None:
    assert usual_strategy((judged,)) == usual_strategy(("collision", judged)) == "mi"
    assert "mi" in STRATEGIES
