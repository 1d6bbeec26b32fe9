"""Paint covers what a slow reference says, and crosswalks are found from their outlines."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from sim.camera import CameraSpec
from sim.camera.ground import Rectangles, covered, crosswalks_near
from sim.camera.lens import foot_of, lens_of
from sim.generator import GeneratorSpec, scene
from sim.kinds import RoadKind
from sim.preparing import prepare
from sim.scenario import Sizes

SPEC = CameraSpec(height=24, width=48, cell=8)
SAMPLES = 101
cover = jax.jit(partial(covered, lens=lens_of(SPEC)))
near = jax.jit(partial(crosswalks_near, spec=SPEC))


def reference_cover(shapes: Rectangles) -> np.ndarray:
    """[rows, columns] the largest share of a pixel's width that one shape covers, sample by sample in float64."""
    lens = lens_of(SPEC)
    poses, halves = np.asarray(shapes.poses, np.float64), np.asarray(shapes.halves, np.float64)
    shares = np.zeros((SPEC.height - lens.above, SPEC.width))
    shifts = (np.arange(SAMPLES) + 0.5) / SAMPLES - 0.5
    for row, (ahead, reach) in enumerate(zip(lens.ahead[lens.above :], lens.reach, strict=True)):
        for column, left in enumerate(lens.left):
            for number, (x, y, cosine, sine) in enumerate(poses):
                dx, dy = ahead * reach - x, (left + shifts / lens.focal) * reach - y
                along, aside = dx * cosine + dy * sine, dy * cosine - dx * sine
                inside = (np.abs(along) < halves[number, 0]) & (np.abs(aside) < halves[number, 1])
                begun = (along[SAMPLES // 2] - shapes.begins[number]) / shapes.periods[number]
                shares[row, column] = max(shares[row, column], inside.mean() * (begun % 1.0 < 0.5))
    return shares


def test_cover_is_that_of_a_slow_reference() -> None:
    rng = np.random.default_rng(3)
    angle = rng.uniform(-np.pi, np.pi, 10)
    places = np.stack([rng.uniform(3, 25, 10), rng.uniform(-8, 8, 10)])
    shapes = Rectangles(
        poses=jnp.asarray(np.stack([*places, np.cos(angle), np.sin(angle)], axis=1), jnp.float32),
        halves=jnp.asarray(rng.uniform(0.1, 3.0, (10, 2)), jnp.float32),
        periods=jnp.asarray(np.where(np.arange(10) < 5, 1e6, rng.uniform(1.0, 6.0, 10)), jnp.float32),
        begins=jnp.full(10, -10.0),
    )
    wrong = np.abs(np.asarray(cover(shapes)) - reference_cover(shapes)) > 2.0 / SAMPLES
    # Where a stroke begins at the middle of a pixel, float32 may decide otherwise.
    assert wrong.sum() <= 3


def test_nothing_is_covered_by_shapes_that_are_none() -> None:
    ahead = jnp.tile(jnp.array([8.0, 0.0, 1.0, 0.0]), (2, 1))
    shapes = Rectangles(ahead, jnp.full((2, 2), -1.0), jnp.ones(2), jnp.zeros(2))
    assert not cover(shapes).any()


def test_crosswalks_are_found_where_their_outlines_are() -> None:
    recording = scene(11, 1, spec=GeneratorSpec(kinds=("crossing-lights",), hard_share=0.0, steps=101))
    prepared = prepare(recording, Sizes(agents=64, steps=101))
    pose = jnp.zeros(3)
    found = near(prepared.scenario.roads, foot_of(pose, SPEC))
    there = np.asarray(found.halves)[:, 0] > 0.0
    middles, halves = np.asarray(found.poses)[there, :2], np.asarray(found.halves)[there]
    middles = middles + np.array([SPEC.mount_ahead_m, 0.0])
    areas = [road.points[:, :2] - prepared.centre for road in recording.map.roads if road.kind == RoadKind.CROSSWALK]
    assert len(middles) == len(areas) > 0
    for area in areas:
        apart = np.hypot(*(middles - area.mean(axis=0)).T)
        sides = sorted((np.hypot(*(area[1] - area[0])), np.hypot(*(area[2] - area[1]))), reverse=True)
        assert apart.min() < 0.05
        assert np.allclose(2.0 * halves[apart.argmin()], sides, atol=0.1)
