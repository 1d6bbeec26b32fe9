"""Pictures show what is there, where it is."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sim.generator import GeneratorSpec, scene
from sim.pictures import (
    Backdrop,
    Mark,
    Overlay,
    Panel,
    View,
    draw_step,
    panel_frames,
    poses_of,
    rollout_frames,
    save_gif,
)
from sim.recording import Recording

EGO = (214, 60, 46)
POLICY = (126, 60, 190)
MARK = (200, 0, 90)


@pytest.fixture(scope="module")
def recording() -> Recording:
    return scene(2, 0, spec=GeneratorSpec(kinds=("t-lights",), hard_share=0.0, steps=31))


def centre_of(image: Image.Image, colour: tuple[int, int, int]) -> np.ndarray:
    """Column and row of the middle of what has this colour."""
    found = np.argwhere((np.asarray(image).astype(int) == colour).all(axis=2))
    assert len(found)
    return found.mean(axis=0)[::-1]


def test_the_ego_is_drawn_where_it_is(recording: Recording) -> None:
    x, y, _ = poses_of(recording)[20]
    view = View((x - 10.0, y + 5.0), span_m=80.0, pixels=400)
    image = draw_step(recording, 20, backdrop=Backdrop(recording, view))
    assert image.size == (400, 400)
    assert np.allclose(centre_of(image, EGO), [250.0, 225.0], atol=4.0)


def test_a_policy_takes_the_place_of_the_recorded_ego(recording: Recording) -> None:
    poses = poses_of(recording)
    view = View((poses[20, 0], poses[20, 1]), span_m=80.0, pixels=400)
    moved = poses + np.array([12.0, 0.0, 0.0])
    image = draw_step(recording, 20, backdrop=Backdrop(recording, view), overlay=Overlay(moved))
    assert np.allclose(centre_of(image, POLICY), [260.0, 200.0], atol=4.0)
    assert not (np.asarray(image) == EGO).all(axis=2).any()


def test_expert_and_policy_stand_side_by_side_in_a_gif(recording: Recording, tmp_path: Path) -> None:
    view = View(tuple(poses_of(recording)[0, :2].tolist()), span_m=80.0, pixels=120)  # type: ignore[arg-type]
    frames = rollout_frames(recording, policy=poses_of(recording), view=view, every=10)
    save_gif(frames, tmp_path / "rollout.gif")
    with Image.open(tmp_path / "rollout.gif") as written:
        assert written.n_frames == len(frames) == 4
        assert written.size == (246, 120)


def test_a_moment_is_ringed_where_the_policy_was_from_then_on(recording: Recording, tmp_path: Path) -> None:
    poses = poses_of(recording) + np.array([12.0, 0.0, 0.0])
    view = View((poses[20, 0], poses[20, 1]), span_m=80.0, pixels=400)
    plain, marked = (
        panel_frames([Panel("", recording, poses, marks)], range(18, 24), view=view)
        for marks in ((), (Mark(20, "collision"),))
    )
    changed = [np.argwhere((np.asarray(a) != np.asarray(b)).any(axis=2)) for a, b in zip(plain, marked, strict=True)]
    assert [len(pixels) > 0 for pixels in changed] == [False, False, True, True, True, True]
    ring = np.argwhere((np.asarray(marked[-1]) == MARK).all(axis=2))
    low, high = ring.min(axis=0), ring.max(axis=0)
    assert np.allclose(0.5 * (low[1] + high[1]), 200.0, atol=3.0)
    assert high[0] == pytest.approx(200 + 20, abs=3)
    save_gif(marked, tmp_path / "marked.gif")
    with Image.open(tmp_path / "marked.gif") as written:
        written.seek(written.n_frames - 1)
        kept = np.asarray(written.convert("RGB")).astype(int)
    assert (np.abs(kept - MARK).max(axis=2) < 40).sum() > 50


def test_the_words_of_a_moment_at_the_border_stay_inside(recording: Recording) -> None:
    poses = poses_of(recording)
    view = View((poses[5, 0] + 39.0, poses[5, 1] - 39.0), span_m=80.0, pixels=400)
    (image,) = panel_frames([Panel("", recording, poses, (Mark(5, "traffic light"),))], range(6, 7), view=view)
    words = np.argwhere((np.asarray(image) == MARK).all(axis=2))
    assert words[:, 1].max() > 50, "all of the words, though the ring is at the corner"
    assert image.size == (400, 400)


def test_maps_without_borders_and_agents_that_vanish_are_drawn(recording: Recording) -> None:
    bare = replace(recording.map, lanes=tuple(replace(lane, left=None, right=None) for lane in recording.map.lanes))
    valid = np.zeros_like(recording.agents.valid)
    valid[0] = True
    sparse = replace(recording, map=bare, agents=replace(recording.agents, valid=valid))
    view = View(tuple(poses_of(recording)[0, :2].tolist()), pixels=100)  # type: ignore[arg-type]
    assert draw_step(sparse, 3, backdrop=Backdrop(sparse, view)).size == (100, 100)


def test_poses_of_a_wrong_shape_are_refused(recording: Recording) -> None:
    with pytest.raises(ValueError, match="must be \\[T, 3\\]"):
        rollout_frames(recording, policy=np.zeros((4, 2)))


def test_a_gif_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one"):
        save_gif([], tmp_path / "none.gif")
