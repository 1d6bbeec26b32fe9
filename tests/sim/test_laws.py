import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import sim
from sim.drivers import Decision, View
from sim.preparing import prepare
from sim.rewards import DoneSpec
from sim.rolling import RolloutSpec
from sim.scenario import Scenario
from tests.sim.scenes import SMALL, batch, on_device, road, road_recording

SPEC = RolloutSpec(steps=20, done=DoneSpec(), keep_observations=True)
SCENES = (road(0, 0.0), road(1, 0.01))


def guide(count: int, steps: int = 40) -> jax.Array:
    rng = np.random.default_rng(1)
    values = [rng.integers(30, 50, (count, steps)), rng.integers(12, 19, (count, steps))]
    return jnp.asarray(np.stack(values, axis=-1), jnp.int32)


def drive(scenes: Scenario, actions: jax.Array) -> sim.Rollout:
    return sim.rollout(scenes, sim.replay_actions, jax.random.key(0), spec=SPEC, guide=actions)


def assert_same(left: Any, right: Any, *, atol: float = 1e-4) -> None:
    for one, other in zip(jax.tree.leaves(left), jax.tree.leaves(right), strict=True):
        np.testing.assert_allclose(np.asarray(one, np.float64), np.asarray(other, np.float64), atol=atol, rtol=1e-4)


def picked(values: Any, column: int, axis: int) -> Any:
    return jax.tree.map(lambda leaf: jnp.take(leaf, jnp.array([column]), axis), values)


@pytest.fixture(scope="module")
def both() -> sim.Rollout:
    return drive(batch(*SCENES), guide(2))


def test_two_scenes_in_a_batch_are_each_alone(both: sim.Rollout) -> None:
    for column, scene in enumerate(SCENES):
        alone = drive(batch(scene), guide(2)[column : column + 1])
        assert_same(picked(both.metrics, column, 1), alone.metrics)
        assert_same(picked(both.transitions.observation, column, 1), alone.transitions.observation)
        assert_same(picked(both.episodes, column, 0), alone.episodes)


def test_a_rollout_is_the_loop_over_its_steps(both: sim.Rollout) -> None:
    """Without compilation of the loop, without vmap, and metrics step by step."""
    step, measure = jax.jit(sim.step), jax.jit(sim.metrics)
    scene, state = SCENES[1], jax.jit(sim.reset)(SCENES[1])
    for number, action in enumerate(guide(2)[1, : SPEC.steps]):
        after = step(scene, state, sim.decode(action, SPEC.actions))
        expected = jax.tree.map(lambda leaf, at=number: leaf[at, 1], both.metrics)
        assert_same(replace(expected, valid=jnp.ones((), bool)), measure(scene, state, after), atol=2e-3)
        state = after
    assert_same(jax.tree.map(lambda leaf: leaf[1], both.final), state, atol=1e-3)


def test_measuring_needs_no_compilation() -> None:
    scene = SCENES[1]
    state = jax.jit(sim.reset)(scene)
    after = jax.jit(sim.follow_log)(scene, state)
    assert_same(sim.metrics(scene, state, after), jax.jit(sim.metrics)(scene, state, after))


def test_every_public_name_is_what_it_says_and_not_a_module() -> None:
    for name in sim.__all__:
        assert callable(getattr(sim, name)), name


def outcome(recording_changes: dict[str, Any], scenario_sizes: Any = SMALL) -> tuple[Any, Any]:
    """Metrics and observation of the first step of a scene."""
    recording = road_recording(seed=5, curvature=0.01, **recording_changes)
    scene = on_device(prepare(recording, scenario_sizes).scenario)
    state = jax.jit(sim.reset)(scene)
    after = jax.jit(sim.follow_log)(scene, state)
    return jax.jit(sim.metrics)(scene, state, after), jax.jit(sim.observe)(scene, state)


def test_turning_and_shifting_the_world_changes_nothing() -> None:
    """Within the rounding of places to 2 cm and of the raster."""
    metrics, seen = outcome({})
    turned_metrics, turned = outcome({"angle": 1.1, "shift": (523.4, -177.7)})
    for name in ("collision", "off_road", "off_route", "red_light", "stop_line", "wrong_way"):
        assert getattr(metrics, name) == getattr(turned_metrics, name)
    np.testing.assert_allclose(metrics.progress, turned_metrics.progress, atol=0.02)
    np.testing.assert_allclose(metrics.road_margin, turned_metrics.road_margin, atol=0.1)
    np.testing.assert_allclose(metrics.time_to_collision, turned_metrics.time_to_collision, rtol=0.05)
    np.testing.assert_allclose(seen.ego, turned.ego, atol=0.05)
    np.testing.assert_allclose(seen.agents.features, turned.agents.features, atol=0.06)
    np.testing.assert_allclose(seen.route.features, turned.route.features, atol=0.1)


def test_who_is_past_the_end_of_the_route_is_not_off_it() -> None:
    scene = SCENES[1]
    state, length = jax.jit(sim.reset)(scene), float(scene.route.length)
    x, y, cosine, sine = np.asarray(scene.route.line[int(length / 2.0)])
    beyond = replace(state.motion, x=jnp.float32(x + 30.0 * cosine), y=jnp.float32(y + 30.0 * sine))
    measure = jax.jit(sim.metrics)
    for distance, off_route in ((length, False), (length - 5.0, True)):
        after = replace(state, step=state.step + 1, motion=beyond, distance=jnp.float32(distance))
        assert bool(measure(scene, state, after).off_route) == off_route


def test_the_order_of_agents_does_not_matter() -> None:
    order = np.random.default_rng(0).permutation(21)
    assert_same(outcome({})[0], outcome({"order": order})[0])
    assert_same(outcome({})[1], outcome({"order": order})[1])


def test_padding_changes_nothing() -> None:
    sizes = replace(SMALL, agents=64, steps=57, route_points=160, stops=7, roads=300, tiles=30, grid=30)
    metrics, seen = outcome({})
    padded_metrics, padded = outcome({}, sizes)
    assert_same(metrics, padded_metrics)
    kept = padded.agents.features.shape[0]
    assert kept > seen.agents.features.shape[0]
    np.testing.assert_allclose(seen.agents.features, padded.agents.features[: seen.agents.valid.shape[0]], atol=1e-4)
    assert not padded.agents.valid[seen.agents.valid.shape[0] :].any()
    assert_same(
        (seen.ego, seen.roads, seen.route, seen.value_only), (padded.ego, padded.roads, padded.route, padded.value_only)
    )


def test_nothing_counts_after_the_recording_or_the_first_event(both: sim.Rollout) -> None:
    valid, done = np.asarray(both.transitions.valid), np.asarray(both.transitions.done)
    assert (done.sum(axis=0) <= 1).all()
    assert not (valid[1:] & ~valid[:-1]).any()
    assert (np.asarray(both.transitions.reward)[~valid] == 0).all()
    short = on_device(prepare(road_recording(seed=0, steps=12), SMALL).scenario)
    replay = sim.rollout(batch(short, SCENES[0]), sim.log_replay, jax.random.key(0))
    assert replay.metrics.valid.sum(axis=0).tolist() == [11, 40]


def test_a_rollout_in_two_parts_is_the_whole() -> None:
    spec, key, scenes, actions = RolloutSpec(steps=10), jax.random.key(0), batch(*SCENES), guide(2)
    whole = sim.rollout(scenes, sim.replay_actions, key, spec=replace(spec, steps=20), guide=actions)
    first = sim.rollout(scenes, sim.replay_actions, key, spec=spec, guide=actions)
    second = sim.rollout(scenes, sim.replay_actions, key, spec=spec, guide=actions, states=first.final)
    assert_same(whole.final, second.final)
    joined = jax.tree.map(lambda a, b: jnp.concatenate([a, b]), first.metrics, second.metrics)
    assert_same(whole.metrics, joined)


def test_batches_one_after_the_other_are_the_single_rollouts() -> None:
    batches = [batch(SCENES[0]), batch(SCENES[1])]
    key, spec = jax.random.key(3), RolloutSpec(steps=5)
    results = list(sim.rollouts(iter(batches), sim.log_replay, key, spec=spec))
    for number, result in enumerate(results):
        one = sim.rollout(batches[number], sim.log_replay, jax.random.fold_in(key, number), spec=spec)
        assert_same(result.episodes, one.episodes)
    assert len(results) == 2


def test_scenes_of_one_shape_never_compile_again() -> None:
    """Whatever is in them, and however a batch was put together; what is traced once was compiled once."""
    traced: list[int] = []

    def watched(view: View, key: jax.Array) -> Decision:
        traced.append(view.scenario.log.states.shape[-1])
        return sim.log_replay(view, key)

    short = on_device(prepare(road_recording(seed=9, agents=2, steps=12), SMALL).scenario)
    mapped = jax.tree.map(np.asarray, batch(SCENES[1], short))
    counts = []
    for scenes in (batch(*SCENES), batch(short, SCENES[0]), mapped):
        sim.rollout(scenes, watched, jax.random.key(len(counts)), spec=RolloutSpec(steps=3))
        counts.append(len(traced))
    assert counts[0] > 0
    assert counts == counts[:1] * 3


def test_more_steps_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="41 steps: the scenarios have room for 1 to 40"):
        sim.rollout(batch(*SCENES), sim.log_replay, jax.random.key(0), spec=RolloutSpec(steps=41))


SHARDED = """
import jax, numpy as np
from jax.sharding import Mesh
import sim
from sim.drivers import Decision
from sim.rolling import RolloutSpec
from tests.sim.scenes import batch, road

assert jax.device_count() == 4
def wander(view, key):
    return Decision(action=jax.random.randint(key, (2,), 10, 20))

scenes = batch(*[road(seed, 0.0) for seed in range(2)] * 2)
mesh = Mesh(np.array(jax.devices()), ("scenes",))
spec = RolloutSpec(steps=8)
one, many = (sim.rollout(scenes, wander, jax.random.key(0), spec=spec, mesh=where) for where in (None, mesh))
assert len(many.final.motion.x.sharding.device_set) == 4
for left, right in zip(jax.tree.leaves(one), jax.tree.leaves(many), strict=True):
    np.testing.assert_allclose(np.asarray(left, float), np.asarray(right, float), atol=1e-4)
try:
    sim.rollout(jax.tree.map(lambda leaf: leaf[:3], scenes), wander, jax.random.key(0), spec=spec, mesh=mesh)
except ValueError as error:
    print(error)
"""


def test_a_batch_on_four_devices_is_the_batch_on_one() -> None:
    environment = {**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=4", "PYTHONPATH": str(Path.cwd())}
    run = subprocess.run([sys.executable, "-c", SHARDED], capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr
    assert "3 scenes on 4 devices" in run.stdout
