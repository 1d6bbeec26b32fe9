from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import pytest

from sim.costs import forward_costs
from sim.networks import NETWORKS, NetworkSpec, apply, init
from sim.observation.record import AGENT, BORDER, EGO, ROAD, VALUE_ONLY, Borders, Observation, Tokens

ACTIONS = (71, 31)
SPEC = NetworkSpec(width=32, heads=2, latents=3, agent_layers=1, latent_layers=1, head_blocks=1)
NAMES = ("embedding", "agents to each other", "latents to all tokens", "latents to each other", "heads")


def seen(agents: int = 10, roads: int = 20) -> Observation:
    def tokens(count: int, columns: int) -> Tokens:
        return Tokens(jnp.zeros((count, columns)), jnp.zeros(count, jnp.int8), jnp.ones(count, bool))

    return Observation(
        ego=jnp.zeros(len(EGO)),
        agents=tokens(agents, len(AGENT)),
        roads=tokens(roads, len(ROAD)),
        route=Borders(jnp.zeros((2, 16, len(BORDER))), jnp.ones((2, 16), bool)),
        value_only=jnp.zeros(len(VALUE_ONLY)),
    )


def costs(spec: NetworkSpec = SPEC, **counts: int) -> dict[str, int]:
    return forward_costs(spec, seen(**counts), actions=ACTIONS)


def test_attention_costs_what_it_costs_by_hand() -> None:
    found, tokens, width = costs(), 1 + 10 + 20 + 2 * 2, 32
    assert tuple(sorted(found)) == tuple(sorted(NAMES))
    queries_to_values, dense = 2 * 4 * width**2, 2 * 4 * width**2
    # Each of the latents asks once a head, and gathers bare tokens: there are no keys and no values of a token.
    assert found["latents to all tokens"] == 3 * (queries_to_values + dense + 2 * 2 * 2 * tokens * width)
    assert found["agents to each other"] == 10 * (queries_to_values + dense + 2 * 2 * 10 * width)


def test_what_latents_gather_grows_with_tokens_and_what_agents_do_with_their_square() -> None:
    once, twice, thrice = (costs(agents=count) for count in (10, 20, 30))
    gathered, among = "latents to all tokens", "agents to each other"
    assert twice[gathered] - once[gathered] == thrice[gathered] - twice[gathered] > 0
    assert (thrice[among] - twice[among]) - (twice[among] - once[among]) == 2 * 2 * 2 * 10**2 * 32
    assert twice["latents to each other"] == once["latents to each other"]
    assert twice["heads"] == once["heads"]


def test_what_a_network_does_not_have_costs_nothing() -> None:
    assert set(costs(replace(SPEC, agent_layers=0, latents=1))) == {"embedding", "latents to all tokens", "heads"}


@pytest.mark.parametrize("name", ["xs", "s"])
def test_the_parts_are_nearly_all_of_what_the_compiler_counts(name: str) -> None:
    spec, example = NETWORKS[name], seen(64, 128)
    parameters = jax.eval_shape(partial(init, spec, actions=ACTIONS), jax.random.key(0), example)
    leaves, shape = jax.tree.flatten((parameters, example))
    run = jax.jit(lambda *leaves: apply(spec, *jax.tree.unflatten(shape, leaves), actions=ACTIONS))
    lowered = run.lower(*leaves)
    counted = sum(forward_costs(spec, example, actions=ACTIONS).values())
    assert counted < lowered.cost_analysis()["flops"] < 1.1 * counted
