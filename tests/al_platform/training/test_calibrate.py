"""The temperature: recovered where it is known, tame where it is not."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import expit

from al_platform.training.calibrate import fit_temperature
from al_platform.training.frames import UNKNOWN


def simulated(temperature: float, *, cells: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Logits that are `temperature` times too large for the outcomes drawn from them."""
    draw = np.random.default_rng(seed)
    honest = draw.normal(-1.0, 2.0, cells)
    presence = (draw.random(cells) < expit(honest)).astype(np.uint8)
    return (honest * temperature).astype(np.float32), presence


@pytest.mark.parametrize("temperature", [0.25, 0.8, 1.0, 3.0, 6.0])
def test_a_known_temperature_is_recovered(temperature: float) -> None:
    logits, presence = simulated(temperature, cells=40_000)
    assert fit_temperature(logits, presence) == pytest.approx(temperature, rel=0.03)


def cross_entropy(logits: NDArray[Any], outcomes: NDArray[Any], scale: float) -> float:
    scaled = logits.astype(np.float64) * scale
    return float(np.mean(np.logaddexp(0.0, scaled) - outcomes * scaled))


@pytest.mark.parametrize("seed", range(12))
def test_no_other_temperature_in_bounds_is_better(seed: int) -> None:
    draw = np.random.default_rng(seed)
    logits = draw.normal(draw.normal(), draw.exponential(20.0), 30)
    outcomes = (draw.random(30) < 0.4).astype(np.uint8)
    found = fit_temperature(logits, outcomes)
    best = minimize_scalar(lambda scale: cross_entropy(logits, outcomes, scale), bounds=(1 / 8, 8), method="bounded")
    assert cross_entropy(logits, outcomes, 1.0 / found) <= best.fun + 1e-6


def test_unknown_cells_do_not_matter() -> None:
    logits, presence = simulated(2.0, cells=500)
    presence[::3] = UNKNOWN
    found = fit_temperature(logits, presence)
    logits[::3] = 1e6
    assert fit_temperature(logits, presence) == found
    assert fit_temperature(logits[presence != UNKNOWN], presence[presence != UNKNOWN]) == found


@pytest.mark.parametrize("presence", [[], [255, 255], [1, 1, 255], [0, 0, 0]])
def test_without_both_outcomes_nothing_is_changed(presence: list[int]) -> None:
    assert fit_temperature(np.linspace(-3, 9, len(presence)), np.array(presence, np.uint8)) == 1.0


@pytest.mark.parametrize(
    ("logits", "bound"),
    [
        ([-9.0, -1.0, 2.0, 5.0], 1 / 8),
        ([9.0, 1.0, -2.0, -5.0], 8.0),
        ([-1e30, -1e30, 1e30, 1e30], None),
        ([-1e-30, -1e-30, 1e-30, 1e-30], None),
        ([0.0, 0.0, 0.0, 0.0], None),
        ([800.0, -800.0, 800.0, -800.0], None),
    ],
)
def test_degenerate_logits_stay_in_bounds(logits: list[float], bound: float | None) -> None:
    found = fit_temperature(np.array(logits), np.array([0, 0, 1, 1], np.uint8))
    assert 1 / 8 <= found <= 8.0
    if bound is not None:
        assert found == pytest.approx(bound, rel=1e-6)
