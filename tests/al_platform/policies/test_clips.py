"""Clips of drives: what is shown is the failure, marked where and when it was."""

import numpy as np
import pytest

from al_platform.domain.judging import RATES, SuiteScenario
from al_platform.policies.clips import Side, clip_frames, marks_of, moment_of
from al_platform.policies.driven import DrivenScenario
from al_platform.policies.wheel import Drive
from sim.pictures import Mark
from sim.preparing import prepare
from sim.scenario.record import STEP_S
from tests.sim.scenes import SMALL, road_recording

SCENE = SuiteScenario("scn_1", "d/1", "d/1/1", "d")
STEPS = 41
RING = (200, 0, 90)


def side(events: dict[str, float], event: str = "") -> Side:
    driven = DrivenScenario(SCENE, events, dict.fromkeys(RATES, 0.0))
    poses = np.stack([np.linspace(-8.0, 8.0, STEPS), np.zeros(STEPS), np.zeros(STEPS)], axis=1).astype(np.float32)
    return Side("pol_1", Drive(driven, poses, overlaps=False), event)


def test_a_ring_is_where_the_failure_was_and_names_what_happened_with_it() -> None:
    told = side({"off_road": 1.0, "off_route": 1.6, "red_light": 5.0})
    assert marks_of(told) == (Mark(8, "off road, off route"), Mark(25, "red light"))


def test_of_a_side_that_is_asked_about_one_event_that_alone_is_shown() -> None:
    told = side({"off_road": 1.0, "collision": 1.6, "off_route": 6.0}, "off_route")
    assert marks_of(told) == (Mark(30, "off route"),)
    assert moment_of([told], STEPS)[1] == 30


def test_a_clip_is_of_the_first_failure_even_if_something_else_came_before() -> None:
    steps, moment = moment_of([side({"off_road": 0.4}), side({"wrong_way": 0.6, "collision": 7.0})], STEPS)
    assert moment == 35
    assert steps.start <= 35 < steps.stop
    assert moment_of([side({"off_road": 0.4})], STEPS)[1] == 2
    assert moment_of([side({})], STEPS) == (range(0, STEPS, 2), STEPS // 2)


@pytest.mark.parametrize("recorded", [False, True])
def test_only_the_driver_who_failed_is_ringed_and_from_that_moment_on(recorded: bool) -> None:
    scenario = prepare(road_recording(steps=STEPS, agents=4), SMALL).scenario
    clean, failed = side({}), side({"collision": 4.0})
    frames = clip_frames(scenario, [clean, failed], recorded=recorded)
    steps = moment_of([clean, failed], STEPS)[0]
    for step, frame in zip(steps, frames, strict=True):
        panels = np.array_split((np.asarray(frame) == RING).all(axis=2), 3 if recorded else 2, axis=1)
        ringed = [bool(panel.sum() > 50) for panel in panels]
        assert ringed == [False] * (len(panels) - 1) + [step >= 4.0 / STEP_S]
