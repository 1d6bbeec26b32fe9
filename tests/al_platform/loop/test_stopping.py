"""When a loop ends by itself: against slopes computed by hand, and rule by rule."""

import math

import numpy as np
import pytest
from scipy import stats

from al_platform.domain.loops import LoopRound, LoopSpec, Plateau, Stopping, gain_over_control
from al_platform.domain.models import ModelSpec
from al_platform.domain.rounds import Budget, RoundSpec
from al_platform.loop.stopping import is_plateau, slope_of, stop_reason

FIRST = RoundSpec(ModelSpec(("person",), members=2), "dsv_1", "pool_1", ("person",), Budget(5))
NOW = "2026-11-21 12:00:00.000000"


def rounds(*metrics: float | None, labels: int = 5, information: float | None = None) -> list[LoopRound]:
    return [
        LoopRound(
            number, f"rnd_{number}", NOW, 60, NOW, appended=True, labels=labels, metric=metric, information=information
        )
        for number, metric in enumerate(metrics, start=1)
    ]


@pytest.mark.parametrize(
    ("values", "gain", "half"),
    [
        # three values: spread 2, t(0.95; 1) = 6.3138; slope (c - a) / 2, squared residuals (a - 2b + c)^2 / 6
        ((0.30, 0.36, 0.36), 0.03, 6.313752 * math.sqrt(0.0036 / 6 / 2)),
        ((0.50, 0.50, 0.50), 0.0, 0.0),
        # four values: spread 5, t(0.95; 2) = 2.9200; slope (3d + c - b - 3a) / 10 = 0.02; residuals ±0.01
        ((0.10, 0.14, 0.16, 0.16), 0.02, 2.919986 * math.sqrt(0.0004 / 2 / 5)),
    ],
)
def test_a_slope_and_its_interval_are_those_computed_by_hand(
    values: tuple[float, ...], gain: float, half: float
) -> None:
    slope = slope_of(values, confidence=0.9)
    assert slope.gain == pytest.approx(gain, abs=1e-12)
    assert slope.high - slope.gain == pytest.approx(half, rel=1e-5, abs=1e-12)
    assert slope.gain - slope.low == pytest.approx(half, rel=1e-5, abs=1e-12)


def test_a_slope_is_that_of_linear_regression() -> None:
    values = np.random.default_rng(7).random(9)
    expected = stats.linregress(np.arange(9), values)
    slope = slope_of(values.tolist(), confidence=0.8)
    assert slope.gain == pytest.approx(expected.slope)
    assert slope.high == pytest.approx(expected.slope + stats.t.ppf(0.9, 7) * expected.stderr)


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ((0.30, 0.40, 0.45, 0.48), False),  # rises
        ((0.50, 0.501, 0.50, 0.501), True),  # flat, and surely so
        ((0.45, 0.52, 0.47, 0.50), False),  # flat, but too noisy to say
        ((0.60, 0.58, 0.56, 0.54), True),  # falls
        ((0.50, 0.50, 0.50), False),  # a round is missing from the window
        ((0.10, 0.30, 0.50, 0.50, 0.50, 0.50), True),  # only the newest count
    ],
)
def test_a_plateau_is_seen_only_where_the_interval_lies_below_the_gain(
    metrics: tuple[float, ...], expected: bool
) -> None:
    assert is_plateau(metrics, Plateau(window=4, gain=0.005)) is expected


@pytest.mark.parametrize(
    ("spec", "known", "reason"),
    [
        (LoopSpec(FIRST, 2), rounds(None), ""),
        (LoopSpec(FIRST, 2), rounds(None, None), "all 2 rounds are done"),
        (LoopSpec(FIRST, None), rounds(*[None] * 50), ""),
        (LoopSpec(FIRST, None, stopping=Stopping(labels=11)), rounds(None, None), ""),
        (LoopSpec(FIRST, None, stopping=Stopping(labels=10)), rounds(None, None), "10 labels reach the budget of 10"),
        (LoopSpec(FIRST, None, stopping=Stopping(information=0.01)), rounds(None, information=0.01), ""),
        (
            LoopSpec(FIRST, None, stopping=Stopping(information=0.01)),
            rounds(None, information=0.0099),
            "the pool's mean information 0.0099 nats is below 0.01",
        ),
        (
            LoopSpec(FIRST, None, stopping=Stopping(plateau=Plateau(3, 0.01))),
            rounds(0.5, 0.5, 0.5),
            "the last 3 rounds gain 0.0000 a round, 0.0000 to 0.0000: surely less than 0.01",
        ),
        (LoopSpec(FIRST, None, stopping=Stopping(plateau=Plateau(3))), rounds(None, 0.5, 0.5), ""),
    ],
)
def test_a_loop_ends_by_the_rule_that_holds_and_says_which(spec: LoopSpec, known: list[LoopRound], reason: str) -> None:
    assert stop_reason(spec, known) == reason


def test_a_cancelled_round_counts_for_nothing() -> None:
    cancelled = LoopRound(2, "rnd_2", NOW, 60, NOW)
    assert stop_reason(LoopSpec(FIRST, 2), [*rounds(None), cancelled]) == ""


def test_the_gain_is_cells_a_picked_frame_to_cells_a_control_frame() -> None:
    found = [
        LoopRound(1, "rnd_1", NOW, 60, picked_frames=4, picked_cells=12, control_frames=1, control_cells=0),
        LoopRound(2, "rnd_2", NOW, 60, picked_frames=6, picked_cells=18, control_frames=1, control_cells=2),
    ]
    assert [each.gain for each in found] == [None, 1.5]
    assert gain_over_control(found) == 3.0
    assert gain_over_control([]) is None
