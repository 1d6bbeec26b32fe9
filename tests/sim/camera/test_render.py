"""The camera's labels are exact, and its pictures are made the same way alone and in a batch."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sim.camera import CameraSpec, Daytime, Frame, render_camera, render_many
from sim.camera.bodies import _PARTS
from sim.generator import GeneratorSpec, scene
from sim.kinds import AgentKind
from sim.preparing import prepare
from sim.scenario import Scenario, Sizes
from sim.scenario.record import NOWHERE

SMALL = CameraSpec(height=32, width=64, cell=8, agents=12, noise=0.0)
STEPS = (60, 100, 20)
drawn = jax.jit(render_camera, static_argnames="spec")


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    spec = GeneratorSpec(kinds=("crossing-lights",), hard_share=0.0, steps=101)
    return jax.tree.map(jnp.asarray, prepare(scene(11, 1, spec=spec), Sizes(agents=96, steps=101)).scenario)


@pytest.fixture(scope="module")
def frames(scenario: Scenario) -> list[Frame]:
    return [drawn(scenario, scenario.log.ego[step, :3], step, jax.random.key(1), spec=SMALL) for step in STEPS]


def reference_depths(scenario: Scenario, step: int, spec: CameraSpec) -> np.ndarray:
    """[height, width, K] distance to each agent, infinite for none: in float64, ray by ray, face by face."""
    states = np.asarray(scenario.log.states[step], dtype=np.float64)
    x, y, heading = np.asarray(scenario.log.ego[step, :3], dtype=np.float64)
    seen = (states[0] != NOWHERE) & (np.arange(states.shape[1]) > 0)
    away = np.where(seen, np.hypot(states[0] * 0.02 - x, states[1] * 0.02 - y), np.inf)
    rows = np.argsort(away, kind="stable")[: spec.agents]
    eye = np.array([x + spec.mount_ahead_m * np.cos(heading), y + spec.mount_ahead_m * np.sin(heading), 1.5])
    depths = np.full((spec.height, spec.width, spec.agents), np.inf)
    for k, row in enumerate(rows):
        for part in _PARTS[AgentKind(int(scenario.log.kinds[row]))] if seen[row] else ():
            near = part_depths(scenario, states[:, row], int(row), part, eye=eye, heading=float(heading), spec=spec)
            depths[:, :, k] = np.minimum(depths[:, :, k], near)
    return np.where(depths < spec.range_m, depths, np.inf)


def part_depths(
    scenario: Scenario,
    state: np.ndarray,
    row: int,
    part: tuple[float, ...],
    *,
    eye: np.ndarray,
    heading: float,
    spec: CameraSpec,
) -> np.ndarray:
    """[height, width] distance to one box: the nearest of its six faces that the ray goes through."""
    length, width = np.asarray(scenario.log.sizes[row], dtype=np.float64)
    tall = float(scenario.log.heights[row])
    forward = state[2:4] / 32767.0
    turn = np.array([[forward[0], forward[1], 0], [-forward[1], forward[0], 0], [0, 0, 1]])
    start = turn @ (eye - np.array([state[0] * 0.02, state[1] * 0.02, 0.0]))
    start[0] -= part[2] * length
    low = np.array([-0.5 * part[0] * length, -0.5 * part[1] * width, part[3] * tall])
    high = np.array([0.5 * part[0] * length, 0.5 * part[1] * width, part[4] * tall])
    focal = 0.5 * spec.width / np.tan(0.5 * spec.field_of_view)
    found = np.full((spec.height, spec.width), np.inf)
    for v in range(spec.height):
        for u in range(spec.width):
            up, left = (0.5 * spec.height - v - 0.5) / focal, (0.5 * spec.width - u - 0.5) / focal
            ahead = np.cos(spec.pitch) + up * np.sin(spec.pitch)
            way = np.array(
                [
                    ahead * np.cos(heading) - left * np.sin(heading),
                    ahead * np.sin(heading) + left * np.cos(heading),
                    up * np.cos(spec.pitch) - np.sin(spec.pitch),
                ]
            )
            found[v, u] = nearest_face(start, turn @ way, low, high)
    return found


def nearest_face(start: np.ndarray, way: np.ndarray, low: np.ndarray, high: np.ndarray) -> float:
    best = np.inf
    for axis in range(3):
        others = [other for other in range(3) if other != axis]
        for plane in (low[axis], high[axis]):
            t = (plane - start[axis]) / way[axis] if way[axis] else np.inf
            place = start + t * way if np.isfinite(t) else np.full(3, np.inf)
            if 0.05 < t < best and all(low[o] <= place[o] <= high[o] for o in others):
                best = t
    return best


def test_every_pixel_shows_the_agent_that_a_slow_exact_reference_finds(scenario: Scenario, frames: list[Frame]) -> None:
    for step, frame in zip(STEPS[:2], frames[:2], strict=True):
        depths = reference_depths(scenario, step, SMALL)
        shown = np.where(np.isfinite(depths.min(axis=2)), depths.argmin(axis=2), -1)
        kinds = np.asarray(scenario.log.kinds)[np.asarray(frame.agents)]
        expected = np.where(shown >= 0, kinds[np.maximum(shown, 0)], -1)
        # A pixel whose ray grazes an edge may fall to either side of it in float32.
        assert (np.asarray(frame.classes) != expected).sum() <= 3
        whole = np.isfinite(depths).sum(axis=(0, 1))
        seen = (shown[..., None] == np.arange(SMALL.agents)).sum(axis=(0, 1))
        hidden = np.where(whole > 0, 1.0 - seen / np.maximum(whole, 1), 1.0)
        large = whole > 20
        assert large.any()
        assert np.allclose(np.asarray(frame.occluded)[large], hidden[large], atol=0.1)


def test_cells_are_the_shares_of_their_pixels(frames: list[Frame]) -> None:
    for frame in frames:
        classes = np.asarray(frame.classes)
        for row in range(4):
            for column in range(8):
                cell = classes[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
                share = [(cell == kind).mean() for kind in range(4)]
                assert np.allclose(frame.cells[row, column], share)


def test_boxes_hold_what_is_seen_and_nothing_is_seen_of_agents_without_one(frames: list[Frame]) -> None:
    for frame in frames:
        covered = np.zeros((32, 64), bool)
        for first_column, first_row, last_column, last_row in np.asarray(frame.boxes):
            if first_column >= 0:
                covered[first_row : last_row + 1, first_column : last_column + 1] = True
        assert covered[np.asarray(frame.classes) >= 0].all()
        nothing = np.asarray(frame.boxes)[:, 0] < 0
        assert (np.asarray(frame.occluded)[nothing] == 1.0).all()


def test_a_batch_gives_what_each_scene_gives_alone(scenario: Scenario, frames: list[Frame]) -> None:
    steps = jnp.array(STEPS)
    batch = jax.tree.map(lambda leaf: jnp.stack([leaf] * 3), scenario)
    keys = jnp.stack([jax.random.key(1)] * 3)
    many = render_many(batch, scenario.log.ego[steps, :3], steps, keys, SMALL)
    for row, alone in enumerate(frames):
        assert np.array_equal(many.classes[row], alone.classes)
        assert np.array_equal(many.boxes[row], alone.boxes)
        assert np.abs(many.image[row].astype(int) - alone.image.astype(int)).max() <= 2


def test_night_is_darker_than_dusk_and_dusk_than_day(scenario: Scenario) -> None:
    pose = scenario.log.ego[25, :3]
    light = [
        float(drawn(scenario, pose, 25, jax.random.key(0), spec=replace(SMALL, daytime=time)).image.mean())
        for time in (Daytime.NIGHT, Daytime.DUSK, Daytime.DAY)
    ]
    assert light[0] < light[1] < light[2]


def test_weather_and_light_change_the_picture_but_never_the_labels(scenario: Scenario, frames: list[Frame]) -> None:
    wet = replace(SMALL, rain=0.9, daytime=Daytime.NIGHT, noise=0.05, exposure=2.0)
    other = drawn(scenario, scenario.log.ego[100, :3], 100, jax.random.key(9), spec=wet)
    assert np.array_equal(other.classes, frames[1].classes)
    assert not np.array_equal(other.image, frames[1].image)


def test_equal_keys_give_equal_noise(scenario: Scenario) -> None:
    noisy, pose = replace(SMALL, noise=0.05), scenario.log.ego[0, :3]
    one, same, other = (drawn(scenario, pose, 0, jax.random.key(key), spec=noisy).image for key in (4, 4, 5))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_cells_that_do_not_tile_the_picture_are_refused() -> None:
    with pytest.raises(ValueError, match="cell 7: must divide the picture 256x128"):
        CameraSpec(cell=7)
