from collections.abc import Callable
from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sim.attention import Gathering
from sim.networks import (
    NETWORKS,
    NetworkSpec,
    Outputs,
    Parameters,
    apply,
    init,
    network_named,
    parameter_count,
)
from sim.observation.record import AGENT, BORDER, EGO, ROAD, VALUE_ONLY, Borders, Observation, Tokens

ACTIONS = (71, 31)
SPEC = NetworkSpec(width=32, heads=2, latents=3, agent_layers=1, latent_layers=2, head_blocks=1)


def tokens(key: jax.Array, batch: int, count: int, columns: int, *, seen: int) -> Tokens:
    features, kinds = jax.random.split(key)
    valid = jnp.broadcast_to(jnp.arange(count) < seen, (batch, count))
    values = 10.0 * jax.random.normal(features, (batch, count, columns))
    return Tokens(
        features=jnp.where(valid[..., None], values, 0.0),
        kinds=jnp.where(valid, jax.random.randint(kinds, (batch, count), 0, 4), 0).astype(jnp.int8),
        valid=valid,
    )


def observation(batch: int = 2, *, agents: int = 6, roads: int = 8, seen: int = 4, points: int = 20) -> Observation:
    keys = jax.random.split(jax.random.key(3), 5)
    valid = jnp.broadcast_to(jnp.arange(8)[:, None] < min(seen, 2), (batch, 8, points))
    borders = 20.0 * jax.random.normal(keys[0], (batch, 8, points, len(BORDER)))
    return Observation(
        ego=jax.random.normal(keys[1], (batch, len(EGO))),
        agents=tokens(keys[2], batch, agents, len(AGENT), seen=seen),
        roads=tokens(keys[3], batch, roads, len(ROAD), seen=seen),
        route=Borders(features=jnp.where(valid[..., None], borders, 0.0), valid=valid),
        value_only=10.0 * jax.random.uniform(keys[4], (batch, len(VALUE_ONLY))),
    )


@cache
def trained(spec: NetworkSpec = SPEC, seed: int = 0) -> Parameters:
    """Parameters that are not those of the beginning, where all heads give zero."""
    made = jax.jit(lambda key: init(spec, key, observation(), actions=ACTIONS))(jax.random.key(seed))
    noise = iter(jax.random.split(jax.random.key(seed + 1), len(jax.tree.leaves(made))))
    return jax.tree.map(lambda leaf: leaf + 0.05 * jax.random.normal(next(noise), leaf.shape), made)


def run(seen: Observation, spec: NetworkSpec = SPEC) -> Outputs:
    return applied(spec)(trained(spec), seen)


@cache
def applied(spec: NetworkSpec) -> Callable[[Parameters, Observation], Outputs]:
    return jax.jit(lambda parameters, seen: apply(spec, parameters, seen, actions=ACTIONS))


def assert_same(first: Outputs, second: Outputs, *, tolerance: float = 2e-5) -> None:
    for one, other in zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize(("name", "millions"), [("s", 0.75), ("m", 2.5), ("l", 25.0)])
def test_sizes_have_the_parameters_that_they_promise(name: str, millions: float) -> None:
    shapes = jax.eval_shape(
        lambda key: init(network_named(name), key, observation(points=64), actions=ACTIONS), jax.random.key(0)
    )
    assert parameter_count(shapes) == pytest.approx(millions * 1e6, rel=0.1)


def test_at_the_beginning_every_action_is_as_likely_as_any_other() -> None:
    made = init(SPEC, jax.random.key(0), observation(), actions=ACTIONS)
    outputs = apply(SPEC, made, observation(), actions=ACTIONS)
    assert all(float(jnp.abs(leaf).max()) == 0.0 for leaf in jax.tree.leaves(outputs))


def test_the_policy_never_sees_what_is_for_the_value_only() -> None:
    seen = observation()
    later = replace(seen, value_only=seen.value_only + 17.0)
    first, second = run(seen), run(later)
    np.testing.assert_array_equal(first.acceleration, second.acceleration)
    np.testing.assert_array_equal(first.steering_rate, second.steering_rate)
    assert (first.value != second.value).all()


def test_padding_changes_nothing() -> None:
    seen = observation()
    garbage = replace(
        seen,
        agents=replace(seen.agents, features=jnp.where(seen.agents.valid[..., None], seen.agents.features, 1e3)),
        roads=replace(seen.roads, features=jnp.where(seen.roads.valid[..., None], seen.roads.features, 1e3)),
    )
    fewer = jax.tree.map(lambda leaf: leaf[:, :4], (seen.agents, seen.roads))
    assert_same(run(seen), run(garbage))
    assert_same(run(seen), run(replace(seen, agents=fewer[0], roads=fewer[1])))


def test_the_order_of_agents_and_roads_changes_nothing() -> None:
    seen = observation()
    turned = jax.tree.map(lambda leaf: leaf[:, ::-1], (seen.agents, seen.roads))
    assert_same(run(seen), run(replace(seen, agents=turned[0], roads=turned[1])))


def test_agents_and_the_route_change_what_is_done() -> None:
    seen = observation()
    alone = replace(seen, agents=replace(seen.agents, valid=jnp.zeros_like(seen.agents.valid)))
    lost = replace(seen, route=replace(seen.route, valid=jnp.zeros_like(seen.route.valid)))
    for other in (alone, lost):
        assert float(jnp.abs(run(seen).acceleration - run(other).acceleration).max()) > 1e-3


def test_what_the_driver_did_last_is_not_seen() -> None:
    seen = observation()
    for column in ("acceleration", "yaw_rate"):
        other = replace(seen, ego=seen.ego.at[:, EGO.index(column)].add(3.0))
        assert_same(run(seen), run(other), tolerance=0.0)
    faster = replace(seen, ego=seen.ego.at[:, EGO.index("speed")].add(3.0))
    assert float(jnp.abs(run(seen).acceleration - run(faster).acceleration).max()) > 1e-3


def test_nothing_in_sight_is_no_trouble() -> None:
    outputs = run(observation(seen=0))
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(outputs))


def test_a_batch_is_each_of_its_scenes() -> None:
    seen = observation(batch=3)
    whole = run(seen)
    for row in range(3):
        one = jax.tree.map(lambda leaf, row=row: leaf[row], seen)
        assert_same(jax.tree.map(lambda leaf, row=row: leaf[row], whole), run(one))


def test_an_ensemble_is_each_of_its_members() -> None:
    members = [trained(seed=seed) for seed in (0, 5)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *members)
    seen = observation()
    together = jax.jit(jax.vmap(lambda parameters: apply(SPEC, parameters, seen, actions=ACTIONS)))(stacked)
    for row, member in enumerate(members):
        alone = applied(SPEC)(member, seen)
        assert_same(jax.tree.map(lambda leaf, row=row: leaf[row], together), alone)


def normed(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(-1, keepdims=True)) / np.sqrt(values.var(-1, keepdims=True) + 1e-6)


def test_to_gather_is_to_attend_to_keys_and_values_of_normalised_tokens() -> None:
    keys = jax.random.split(jax.random.key(1), 4)
    queries = jax.random.normal(keys[0], (3, SPEC.width))
    groups = [
        2.0 + 3.0 * jax.random.normal(key, (count, SPEC.width)) for key, count in zip(keys[1:3], (5, 2), strict=True)
    ]
    valid = [jnp.array([True, False, True, True, False]), jnp.array([True, True])]
    module = Gathering(SPEC.width, SPEC.heads, jnp.float32)
    made = module.init(keys[3], queries, groups, valid)
    own = jax.tree.map(lambda leaf: np.asarray(leaf, np.float64), made["params"])
    tokens = normed(np.concatenate([np.asarray(group, np.float64) for group in groups]))[np.concatenate(valid)]
    asked = normed(np.asarray(queries, np.float64)) @ own["Dense_0"]["kernel"]
    asked = asked.reshape(3, SPEC.heads, -1)
    found = []
    for head in range(SPEC.heads):
        scores = asked[:, head] @ (tokens @ own["keys"][head]).T / np.sqrt(SPEC.width // SPEC.heads)
        weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
        found.append(weights @ (tokens @ own["values"][head]))
    after = np.asarray(queries) + np.concatenate(found, axis=-1) @ own["Dense_1"]["kernel"]
    hidden = np.maximum(normed(after) @ own["Dense_2"]["kernel"], 0.0)
    expected = after + hidden @ own["Dense_3"]["kernel"]
    np.testing.assert_allclose(module.apply(made, queries, groups, valid), expected, rtol=2e-4, atol=2e-4)


def test_half_precision_stays_near() -> None:
    seen = observation()
    full, half = run(seen), run(seen, replace(SPEC, dtype="bfloat16"))
    assert half.acceleration.dtype == jnp.float32
    assert_same(full, half, tolerance=0.15)


@pytest.mark.parametrize("name", list(NETWORKS))
def test_every_size_is_a_valid_spec(name: str) -> None:
    assert NETWORKS[name].width % NETWORKS[name].heads == 0


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="width 30 with 4 heads"):
        NetworkSpec(width=30, heads=4)
    with pytest.raises(ValueError, match="network 'xl': must be one of xs, s, m, l"):
        network_named("xl")
