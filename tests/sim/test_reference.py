"""Whole drives, good and bad, through generated and recorded scenes: every metric is that of a slow exact reference."""

from dataclasses import dataclass, fields, replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import shapely

import sim
from al_platform.datasets.scenarios.base import SourceScene
from al_platform.datasets.scenarios.formats import FORMATS
from sim.generator import GeneratorSpec, scene
from sim.preparing import Prepared, prepare
from sim.recording import Recording
from sim.rolling import RolloutSpec
from sim.scenario import Scenario, Sizes
from tests.sim import reference
from tests.sim.reference import Way
from tests.sim.scenes import batch, on_device

STEPS = 60
SIZES = Sizes(
    agents=64, steps=STEPS + 1, route_points=256, lanes=6, stops=8, roads=256, tiles=52, grid=40, listed=16
)  # fmt: skip
RASTER_M = 0.5 / np.sqrt(2) + 0.025
"""The bound of the distance raster; a lane's bit is that of the nearest sample."""
LANES_M = 0.5
NEAR_M = 2e-3
"""Gaps smaller than this are overlaps or not by the rounding of single precision."""


@dataclass(frozen=True)
class Driven:
    """One drive through one scene."""

    recording: Recording
    prepared: Prepared
    way: Way
    steps: SimpleNamespace
    """The fields of StepMetrics, [T]."""
    episode: SimpleNamespace
    """Those of EpisodeMetrics."""

    @property
    def scenario(self) -> Scenario:
        return self.prepared.scenario

    @property
    def half(self) -> np.ndarray:
        return 0.5 * np.asarray(self.scenario.log.sizes, np.float64)[0]


def wild(count: int) -> jax.Array:
    """[B, T, 2] bins: each drive steers and accelerates by chance, some hard and some hardly."""
    rng = np.random.default_rng(5)
    force, turn = rng.integers(2, 30, (count, 1)), rng.integers(1, 7, (count, 1))
    accelerations = 40 + rng.integers(-12, 20, (count, 1)) + rng.integers(-1, 2, (count, STEPS)) * force // 2
    rates = 15 + rng.integers(-1, 2, (count, STEPS)) * turn
    return jnp.asarray(np.stack([accelerations.clip(0, 70), rates.clip(0, 30)], axis=-1), jnp.int32)


def driven_through(recordings: list[Recording]) -> list[Driven]:
    """Four drives through each: the recorded one, and three that go wrong."""
    prepared = [prepare(recording, SIZES) for recording in recordings]
    scenes = batch(*(on_device(one.scenario) for one in prepared for _ in range(4)))
    spec = RolloutSpec(steps=STEPS)
    expert = jax.jit(jax.vmap(lambda scenario: sim.expert_actions(scenario, spec.actions).action))(scenes)
    guide = jnp.where((jnp.arange(len(expert)) % 4 == 0)[:, None, None], expert, wild(len(expert)))
    result = sim.rollout(scenes, sim.replay_actions, jax.random.key(0), spec=spec, guide=guide)
    before, last = result.transitions.state, result.final
    columns = {
        name: np.concatenate([np.asarray(one), np.asarray(other)[None]]).astype(np.float64)
        for name, one, other in (
            *((name, getattr(before.motion, name), getattr(last.motion, name)) for name in ("x", "y", "heading")),
            *((name, getattr(before.motion, name), getattr(last.motion, name)) for name in ("speed", "steering")),
            ("distance", before.distance, last.distance),
        )
    }
    return [
        Driven(
            recording=recordings[number // 4],
            prepared=prepared[number // 4],
            way=Way(**{name: column[:, number] for name, column in columns.items()}),
            steps=_column(result.metrics, (slice(None), number)),
            episode=_column(result.episodes, number),
        )
        for number in range(len(expert))
    ]


def _column(record: Any, place: Any) -> SimpleNamespace:
    return SimpleNamespace(**{field.name: np.asarray(getattr(record, field.name))[place] for field in fields(record)})


@cache
def generated() -> list[Driven]:
    kinds = ("crossing-lights", "crossing-stops")
    spec = GeneratorSpec(hard_share=0.0, steps=STEPS + 1)
    return driven_through([scene(3, 0, spec=replace(spec, kinds=(kind,))) for kind in kinds])


@cache
def recorded(folder: Path) -> list[Driven]:
    """Of every 20th recording those whose map is taken as it is: all on one level, with edges the right way round."""
    found = []
    for path in FORMATS["womd-json"].sources(folder)[::20]:
        for item in FORMATS["womd-json"].read(path):
            if isinstance(item, SourceScene):
                report = prepare(item.recording, SIZES).report
                if not (report.edges_turned or report.edges_from_lanes or report.pieces_on_other_levels):
                    found.append(item.recording)
    assert found
    return driven_through(found[:3])


@pytest.fixture(params=["generated", pytest.param("recorded", marks=pytest.mark.real_data)])
def drives(request: pytest.FixtureRequest) -> list[Driven]:
    if request.param == "generated":
        return generated()
    return recorded(request.getfixturevalue("real_data") / "scenarios_real" / "womd_json")


def valid_steps(drive: Driven) -> range:
    """Numbers of the steps that count: step t leads to state t."""
    return range(1, int(drive.steps.valid.sum()) + 1)


def test_collisions_and_fault_are_those_of_separating_axes(drives: list[Driven]) -> None:
    collided = 0
    for drive in drives:
        there = reference.others_at(drive.scenario, drive.way, 0, 0).gaps(drive.half) < 0.0
        assert bool(drive.episode.initial_overlap) == there.any()
        for step in valid_steps(drive):
            others = reference.others_at(drive.scenario, drive.way, step, step)
            gaps = np.where(there, np.inf, others.gaps(drive.half))
            if np.abs(gaps).min() < NEAR_M:
                continue
            hit = gaps < 0.0
            assert bool(drive.steps.collision[step - 1]) == hit.any(), step
            before_rear = others.centre[:, 0] >= -drive.half[0]
            fault = (hit & before_rear).any() and abs(drive.way.speed[step]) > 0.5
            assert bool(drive.steps.at_fault[step - 1]) == fault, step
            collided += hit.any()
    assert collided > 0


def test_boxes_touch_at_the_time_to_collision_and_not_before(drives: list[Driven]) -> None:
    finite = 0
    for drive in drives:
        there = reference.others_at(drive.scenario, drive.way, 0, 0).gaps(drive.half) < 0.0
        for step in valid_steps(drive)[::5]:
            others = reference.others_at(drive.scenario, drive.way, step, step)
            time = float(drive.steps.time_to_collision[step - 1])
            others = replace(others, seen=others.seen & ~there)
            if time == 0.0:
                continue
            if time < 20.0:
                assert abs(others.gaps(drive.half, after_s=time).min()) < 0.02
                finite += 1
            for moment in np.linspace(0.0, min(time, 8.0), 40)[:-1]:
                assert others.gaps(drive.half, after_s=moment).min() > -0.02
    assert finite > 10


def test_off_road_is_that_of_all_pieces_of_all_edges(drives: list[Driven]) -> None:
    off = compared = 0
    for drive in drives:
        edges = reference.edges_of(drive.recording, drive.prepared.centre)
        size = 2.0 * drive.half
        for step in valid_steps(drive)[::3]:
            points = reference.border_of(drive.way, step, size)
            margin = reference.road_margin(drive.scenario.ground, edges, points)
            if np.isnan(margin):
                continue
            found = float(drive.steps.road_margin[step - 1])
            assert abs(found - margin) <= RASTER_M, (step, found, margin)
            assert bool(drive.steps.off_road[step - 1]) == (found < 0.0)
            off, compared = off + (margin < 0.0), compared + 1
    assert off > 10
    assert compared > 100


def test_off_route_is_that_of_the_areas_between_the_borders(drives: list[Driven]) -> None:
    off = on = 0
    for drive in drives:
        area = reference.permitted(drive.scenario.route)
        for step in valid_steps(drive):
            place = np.array([[drive.way.x[step], drive.way.y[step]]])
            point = shapely.Point(place[0])
            if shapely.distance(area.boundary, point) < LANES_M:
                continue
            inside = bool(area.contains(point) and reference.known(drive.scenario.ground, place)[0])
            arrived = bool(drive.way.distance[step] >= float(drive.scenario.route.length) - 2.0)
            expected = not inside and not arrived
            assert bool(drive.steps.off_route[step - 1]) == expected, (step, place)
            on, off = on + inside, off + expected
    assert min(on, off) > 10


def test_lines_limits_and_direction_are_those_of_the_route_point_by_point(drives: list[Driven]) -> None:
    for drive in drives:
        route, way = drive.scenario.route, drive.way
        for step in valid_steps(drive):
            red, stop = reference.lines_crossed(route, way, step, float(drive.half[0]))
            found = drive.steps
            assert (bool(found.red_light[step - 1]), bool(found.stop_line[step - 1])) == (red, stop), step
            direction, limit = reference.along_route(route, way.distance[step])
            over = max(way.speed[step] - limit, 0.0) if limit else 0.0
            np.testing.assert_allclose(found.speed_over_limit[step - 1], over, atol=1e-4)
            along = np.cos(way.heading[step]) * direction[0] + np.sin(way.heading[step]) * direction[1]
            if abs(along) > 1e-4:
                assert bool(found.wrong_way[step - 1]) == (along * way.speed[step] < 0.0 and way.speed[step] > 0.5)
            np.testing.assert_allclose(found.progress[step - 1], way.distance[step] - way.distance[step - 1], atol=1e-4)


def test_comfort_is_that_of_differences_of_speeds_and_headings(drives: list[Driven]) -> None:
    """Headings of float32 differ by up to 5e-7 a step: that is what jerk divides twice by 0.2 s."""
    for drive in drives:
        count = len(valid_steps(drive))
        expected = reference.comfort(drive.way)
        for name in ("acceleration", "lateral_acceleration"):
            np.testing.assert_allclose(getattr(drive.steps, name)[:count], expected[name][:count], atol=2e-3)
        for name in ("jerk", "lateral_jerk"):
            np.testing.assert_allclose(getattr(drive.steps, name)[1:count], expected[name][: count - 1], atol=0.02)
        assert drive.steps.reversal[:count].tolist() == reference.reversals(drive.way)[:count]


def test_an_episode_is_the_worst_the_sum_or_the_mean_of_its_steps(drives: list[Driven]) -> None:
    for drive in drives:
        valid, episode = np.asarray(drive.steps.valid), drive.episode
        steps = SimpleNamespace(**{name: leaf[valid].astype(float) for name, leaf in vars(drive.steps).items()})
        for event in ("collision", "off_road", "off_route", "red_light", "stop_line", "wrong_way"):
            assert bool(getattr(episode, event)) == getattr(steps, event).any(), event
        hits = np.flatnonzero(steps.collision)
        assert bool(episode.at_fault) == bool(len(hits) and steps.at_fault[hits[0]])
        assert bool(episode.failure) == bool(episode.collision or episode.off_route)
        for name in ("acceleration", "lateral_acceleration", "jerk", "lateral_jerk"):
            np.testing.assert_allclose(getattr(episode, f"max_{name}"), np.abs(getattr(steps, name)).max(), rtol=1e-5)
        np.testing.assert_allclose(episode.max_speed_over_limit, steps.speed_over_limit.max(), rtol=1e-5)
        np.testing.assert_allclose(episode.min_time_to_collision, steps.time_to_collision.min(), rtol=1e-5)
        np.testing.assert_allclose(episode.min_road_margin, steps.road_margin.min(), rtol=1e-5)
        squared = (steps.jerk**2 + steps.lateral_jerk**2).mean()
        np.testing.assert_allclose(episode.mean_squared_jerk, squared, rtol=1e-4)
        seconds = 0.2 * valid.sum()
        np.testing.assert_allclose(episode.duration, seconds, rtol=1e-5)
        np.testing.assert_allclose(episode.reversals_per_minute, 60.0 * steps.reversal.sum() / seconds, rtol=1e-4)
        driven_m = drive.way.distance[int(valid.sum())] - drive.way.distance[0]
        np.testing.assert_allclose(episode.progress, driven_m, atol=1e-2)
        recorded_m = float(drive.scenario.log.ego[-1, 4] - drive.scenario.log.ego[0, 4])
        if recorded_m > 2.0:
            np.testing.assert_allclose(episode.progress_ratio, driven_m / recorded_m, atol=1e-2)
