"""Agents of a recording, mended as the docstring says and not otherwise."""

from dataclasses import replace

import numpy as np
import pytest

from al_platform.datasets.scenarios.agents import DEFAULT_SIZES_M, driving_farthest, mended
from al_platform.errors import BrokenRecording
from sim.kinds import AgentKind
from sim.recording import Agents

STEP_S = 0.1
STEPS = 30


def driving(*speeds_mps: float) -> Agents:
    """Vehicles along x at these speeds, side by side."""
    count = len(speeds_mps)
    position = np.zeros((count, STEPS, 3))
    position[..., 0] = np.array(speeds_mps)[:, None] * STEP_S * np.arange(STEPS)
    position[..., 1] = 4.0 * np.arange(count)[:, None]
    velocity = np.zeros((count, STEPS, 2))
    velocity[..., 0] = np.array(speeds_mps)[:, None]
    return Agents(
        position=position,
        heading=np.zeros((count, STEPS)),
        velocity=velocity,
        size=np.tile([4.5, 2.0, 1.5], (count, 1)),
        kind=np.full(count, AgentKind.VEHICLE, np.int8),
        valid=np.ones((count, STEPS), np.bool_),
        ids=tuple(str(row) for row in range(count)),
    )


def test_a_sound_scene_is_left_as_it_is() -> None:
    agents = driving(10.0, 0.0)
    found, ego, repairs = mended(agents, step_s=STEP_S, ego=0)
    assert (ego, repairs) == (0, {})
    np.testing.assert_array_equal(found.position, agents.position)
    np.testing.assert_array_equal(found.velocity, agents.velocity)
    np.testing.assert_array_equal(found.size, agents.size)


@pytest.mark.parametrize("wild", [np.nan, np.inf, 1e30])
def test_a_pose_that_cannot_be_is_struck_out(wild: float) -> None:
    agents = driving(10.0, 5.0)
    agents.position[1, 4, 0] = wild
    agents.heading[1, 9] = np.nan
    found, _, repairs = mended(agents, step_s=STEP_S, ego=0)
    assert np.flatnonzero(~found.valid[1]).tolist() == [4, 9]
    assert repairs == {"poses not finite or out of range": 2}


def test_a_track_that_jumps_keeps_its_longest_run() -> None:
    agents = driving(10.0, 5.0)
    agents.position[1, 20:, 1] += 100.0
    found, _, repairs = mended(agents, step_s=STEP_S, ego=0)
    assert np.flatnonzero(found.valid[1]).tolist() == list(range(20))
    assert repairs == {"tracks that jump": 1, "poses beyond a jump": 10}


def test_an_agent_that_vanishes_and_comes_back_elsewhere_has_not_jumped() -> None:
    agents = driving(10.0, 5.0)
    agents.valid[1, 5:25] = False
    agents.position[1, 25:, 0] += 50.0
    found, _, repairs = mended(agents, step_s=STEP_S, ego=0)
    assert repairs == {}
    np.testing.assert_array_equal(found.valid[1], agents.valid[1])


def test_a_velocity_that_cannot_be_is_taken_from_the_poses() -> None:
    agents = driving(10.0, 5.0)
    agents.velocity[1, 3] = [np.nan, 0.0]
    agents.velocity[1, 7] = [900.0, 0.0]
    found, _, repairs = mended(agents, step_s=STEP_S, ego=0)
    np.testing.assert_allclose(found.velocity[1], np.tile([5.0, 0.0], (STEPS, 1)))
    assert repairs == {"velocities not finite or above 60 m/s": 2}


@pytest.mark.parametrize("side", [0.0, -1.0, np.nan, np.inf, 1000.0])
def test_a_box_without_a_size_gets_that_of_its_kind(side: float) -> None:
    agents = driving(10.0, 5.0)
    agents.size[1, 1] = side
    found, _, repairs = mended(agents, step_s=STEP_S, ego=0)
    assert found.size[1].tolist() == [4.5, DEFAULT_SIZES_M[AgentKind.VEHICLE][1], 1.5]
    assert repairs == {"boxes without a size": 1}


def test_agents_never_seen_are_left_out_and_the_ego_is_still_the_ego() -> None:
    agents = driving(3.0, 5.0, 10.0)
    agents.valid[0] = False
    found, ego, repairs = mended(agents, step_s=STEP_S, ego=2)
    assert (found.ids, ego) == (("1", "2"), 1)
    assert repairs == {"agents never valid": 1}


def test_names_that_come_twice_are_told_apart() -> None:
    found, _, repairs = mended(replace(driving(1.0, 2.0, 3.0), ids=("a", "a", "a")), step_s=STEP_S, ego=0)
    assert found.ids == ("a", "a#2", "a#3")
    assert repairs == {"names that come twice": 2}


def test_without_a_named_ego_it_is_the_vehicle_seen_throughout_that_drives_farthest() -> None:
    agents = driving(3.0, 9.0, 12.0, 9.0)
    agents.valid[2, 0] = False
    assert driving_farthest(agents) == 1
    kind = agents.kind.copy()
    kind[1] = AgentKind.CYCLIST
    assert driving_farthest(replace(agents, kind=kind)) == 3


def test_where_no_vehicle_is_seen_throughout_those_seen_longest_count() -> None:
    agents = driving(3.0, 9.0, 12.0)
    agents.valid[:, 0] = False
    agents.valid[2, 1] = False
    assert driving_farthest(agents) == 1


@pytest.mark.parametrize("ego", [None, 0, 7, -1])
def test_a_scene_without_a_possible_ego_is_refused(ego: int | None) -> None:
    agents = driving(3.0, 9.0)
    agents.valid[0] = False
    agents = replace(agents, kind=np.full(2, AgentKind.PEDESTRIAN, np.int8))
    with pytest.raises(BrokenRecording, match="no ego"):
        mended(agents, step_s=STEP_S, ego=ego)


def test_one_agent_at_one_step_is_a_scene() -> None:
    agents = driving(3.0)
    one = Agents(
        agents.position[:, :1], agents.heading[:, :1], agents.velocity[:, :1], agents.size, agents.kind,
        agents.valid[:, :1], agents.ids,
    )  # fmt: skip
    found, ego, repairs = mended(one, step_s=STEP_S, ego=None)
    assert (found.valid.shape, ego, repairs) == ((1, 1), 0, {})
