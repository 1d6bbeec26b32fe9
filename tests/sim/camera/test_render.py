"""The camera's labels are exact, and its pictures are made the same way alone and in a batch."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sim.camera import CLASSES, CameraSpec, Daytime, Frame, render_camera, render_many
from sim.camera.bodies import PARTS, SIGNAL
from sim.camera.signals import SIZE_M, signals_of
from sim.generator import GeneratorSpec, scene
from sim.kinds import LightState
from sim.measures.ground import measure_ground
from sim.preparing import prepare
from sim.scenario import Scenario, Sizes
from sim.scenario.record import NOWHERE

SMALL = CameraSpec(height=32, width=64, cell=8, noise=0.0)
STEPS = (60, 100, 20)
drawn = jax.jit(render_camera, static_argnames="spec")
standing = jax.jit(signals_of)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    spec = GeneratorSpec(kinds=("crossing-lights",), hard_share=0.0, steps=101)
    return jax.tree.map(jnp.asarray, prepare(scene(11, 1, spec=spec), Sizes(agents=96, steps=101)).scenario)


@pytest.fixture(scope="module")
def frames(scenario: Scenario) -> list[Frame]:
    return [drawn(scenario, scenario.log.ego[step, :3], step, jax.random.key(1), spec=SMALL) for step in STEPS]


def reference_depths(scenario: Scenario, step: int, spec: CameraSpec) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance [parts, height, width] to each part of everything (infinite for none), its class and its number.

    In float64, ray by ray, face by face; agents are numbered by their row, traffic lights by 1000 and their line.
    """
    states = np.asarray(scenario.log.states[step], dtype=np.float64)
    pose = np.asarray(scenario.log.ego[step, :3], dtype=np.float64)
    depths, classes, numbers = [], [], []
    for row in np.flatnonzero((states[0] != NOWHERE) & (np.arange(states.shape[1]) > 0)):
        size = np.append(np.asarray(scenario.log.sizes[row], np.float64), float(scenario.log.heights[row]))
        place = np.concatenate([states[:2, row] * 0.02, states[2:4, row] / 32767.0])
        for part in PARTS[int(scenario.log.kinds[row])]:
            depths.append(part_depths(pose, place, size, part=part, spec=spec))
            classes.append(int(scenario.log.kinds[row]))
            numbers.append(row)
    stands, there = (np.asarray(value, np.float64) for value in standing(scenario.route, scenario.ground))
    for line in np.flatnonzero(there):
        for part, named in zip(PARTS[SIGNAL], (False, True), strict=True):
            depths.append(part_depths(pose, stands[line], np.array(SIZE_M), part=part, spec=spec))
            classes.append(SIGNAL if named else -1)
            numbers.append(1000 + line if named else -1)
    return np.array(depths), np.array(classes), np.array(numbers)


def part_depths(
    pose: np.ndarray, place: np.ndarray, size: np.ndarray, *, part: tuple[float, ...], spec: CameraSpec
) -> np.ndarray:
    """[height, width] distance to one box: the nearest of its six faces that the ray goes through."""
    x, y, heading = pose
    eye = np.array([x + spec.mount_ahead_m * np.cos(heading), y + spec.mount_ahead_m * np.sin(heading), 1.5])
    turn = np.array([[place[2], place[3], 0], [-place[3], place[2], 0], [0, 0, 1]])
    start = turn @ (eye - np.append(place[:2], 0.0))
    start[0] -= part[2] * size[0]
    low = np.array([-0.5 * part[0] * size[0], -0.5 * part[1] * size[1], part[3] * size[2]])
    high = np.array([0.5 * part[0] * size[0], 0.5 * part[1] * size[1], part[4] * size[2]])
    focal = 0.5 * spec.width / np.tan(0.5 * spec.field_of_view)
    up = (0.5 * spec.height - np.arange(spec.height)[:, None] - 0.5) / focal
    left = (0.5 * spec.width - np.arange(spec.width)[None] - 0.5) / focal
    ahead = np.cos(spec.pitch) + up * np.sin(spec.pitch)
    ways = np.stack(
        [
            ahead * np.cos(heading) - left * np.sin(heading),
            ahead * np.sin(heading) + left * np.cos(heading),
            np.broadcast_to(up * np.cos(spec.pitch) - np.sin(spec.pitch), (spec.height, spec.width)),
        ],
        axis=-1,
    )
    return nearest_face(start, ways @ turn.T, low, high, range_m=spec.range_m)


def nearest_face(
    start: np.ndarray, ways: np.ndarray, low: np.ndarray, high: np.ndarray, *, range_m: float
) -> np.ndarray:
    best = np.full(ways.shape[:2], np.inf)
    for axis in range(3):
        others = [other for other in range(3) if other != axis]
        for plane in (low[axis], high[axis]):
            t = (plane - start[axis]) / np.where(ways[..., axis] == 0.0, 1e-300, ways[..., axis])
            place = start + np.clip(t, -1e6, 1e6)[..., None] * ways
            inside = np.all([(low[o] <= place[..., o]) & (place[..., o] <= high[o]) for o in others], axis=0)
            best = np.where(inside & (t > 0.05) & (t < best) & (t < range_m), t, best)
    return best


def test_every_pixel_shows_what_a_slow_exact_reference_finds(scenario: Scenario, frames: list[Frame]) -> None:
    for step, frame in zip(STEPS, frames, strict=True):
        depths, classes, numbers = reference_depths(scenario, step, SMALL)
        nothing = np.isinf(depths.min(axis=0))
        expected = np.where(nothing, -1, classes[depths.argmin(axis=0)])
        # A pixel whose ray grazes an edge may fall to either side of it in float32.
        assert (np.asarray(frame.classes) != expected).sum() <= 3
        shown = np.where(nothing, -1, numbers[depths.argmin(axis=0)])
        for slot, row in enumerate(np.asarray(frame.agents)):
            own = np.isfinite(depths[numbers == row]).any(axis=0) if row >= 0 else np.zeros(shown.shape, bool)
            if own.sum() > 20:
                assert abs(float(frame.occluded[slot]) - (1.0 - (shown == row).sum() / own.sum())) <= 0.1


def test_boxes_are_those_of_the_reference(scenario: Scenario, frames: list[Frame]) -> None:
    compared = 0
    for step, frame in zip(STEPS, frames, strict=True):
        depths, _, numbers = reference_depths(scenario, step, SMALL)
        shown = np.where(np.isinf(depths.min(axis=0)), -1, numbers[depths.argmin(axis=0)])
        named = np.concatenate([frame.agents, np.where(frame.lights >= 0, 1000 + frame.lights, -1)])
        for number, box in zip(named, np.concatenate([frame.boxes, frame.light_boxes]), strict=True):
            rows, columns = np.nonzero((shown == number) & (number >= 0))
            if len(rows) > 6:
                assert np.abs(box - [columns.min(), rows.min(), columns.max(), rows.max()]).max() <= 1
                compared += 1
    assert compared >= 5


def before_a_light(scenario: Scenario) -> jax.Array:
    """Where one sees the first light, 18 m before it and a little to its left."""
    stands, there = standing(scenario.route, scenario.ground)
    x, y, cosine, sine = stands[int(there.argmax())]
    return jnp.stack([x + 18.0 * cosine - 3.0 * sine, y + 18.0 * sine + 3.0 * cosine, jnp.arctan2(-sine, -cosine)])


def test_a_light_shows_its_state_at_every_step(scenario: Scenario) -> None:
    spec = replace(SMALL, height=256, width=512, exposure=0.7)
    hues = {LightState.STOP: 0, LightState.GO: 1}
    seen = set()
    for step in range(0, 101, 10):
        frame = drawn(scenario, before_a_light(scenario), step, jax.random.key(0), spec=spec)
        assert int(frame.lights[0]) >= 0
        state = int(frame.light_states[0])
        assert state == int(scenario.route.lights[step, int(frame.lights[0])])
        first_column, first_row, last_column, last_row = np.asarray(frame.light_boxes[0])
        if first_column >= 0 and state in hues:
            lamps = np.asarray(frame.image)[first_row : last_row + 1, first_column : last_column + 1].astype(int)
            strongest = (lamps - lamps.mean(axis=2, keepdims=True)).reshape(-1, 3).max(axis=0)
            assert strongest.argmax() == hues[LightState(state)]
            seen.add(state)
    assert seen


def test_a_flashing_light_is_dark_half_of_the_time(scenario: Scenario) -> None:
    flashing = jnp.full_like(scenario.route.lights, LightState.FLASHING_STOP)
    blinking = replace(scenario, route=replace(scenario.route, lights=flashing))
    pose = before_a_light(scenario)
    bright = [drawn(blinking, pose, step, jax.random.key(0), spec=SMALL) for step in (0, 2)]
    assert not np.array_equal(bright[0].image, bright[1].image)
    assert all(int(frame.light_states[0]) == LightState.FLASHING_STOP for frame in bright)


def test_lights_stand_off_the_road_beyond_their_line(scenario: Scenario) -> None:
    stands, there = standing(scenario.route, scenario.ground)
    assert there.any()
    distance, _ = measure_ground(scenario.ground, stands[:, 0], stands[:, 1])
    assert (np.asarray(distance)[np.asarray(there)] < 0.0).all()
    line = np.asarray(scenario.route.line)
    for row in np.flatnonzero(np.asarray(there)):
        stop = line[int(scenario.route.stop_at[row] / 2.0)]
        assert (np.asarray(stands[row, :2]) - stop[:2]) @ stop[2:] > 3.0
        assert (np.asarray(stands[row, :2]) - stop[:2]) @ [stop[3], -stop[2]] > 1.0


def test_cells_are_the_shares_of_their_pixels(frames: list[Frame]) -> None:
    for frame in frames:
        classes = np.asarray(frame.classes)
        for row in range(4):
            for column in range(8):
                cell = classes[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
                share = [(cell == kind).mean() for kind in range(len(CLASSES))]
                assert np.allclose(frame.cells[row, column], share)


def test_boxes_hold_what_is_seen_and_nothing_is_seen_of_agents_without_one(frames: list[Frame]) -> None:
    for frame in frames:
        covered = np.zeros((32, 64), bool)
        for first_column, first_row, last_column, last_row in np.concatenate([frame.boxes, frame.light_boxes]):
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


def test_a_camera_that_draws_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="agents 0: must be at least 1"):
        CameraSpec(agents=0)
