from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sim.bits import pack_bits
from sim.dynamics import Motion
from sim.measures.agents import groups_of, measure_agents
from sim.scenario import Log
from sim.scenario.record import NOWHERE
from sim.state import SimState

AGENTS, SCENES = 96, 200
# Within 60 m, and some of them near enough to touch.
COLUMNS = np.random.default_rng(0).integers(-3000, 3000, (SCENES, 6, AGENTS)).astype(np.int16)
SIZES = np.random.default_rng(1).uniform(1.0, 6.0, (AGENTS, 2)).astype(np.float32)


def measured(count: int) -> list[Any]:
    """Collision, fault and time of random scenes, with empty places up to `count` agents."""
    states = np.full((SCENES, 6, count), NOWHERE, np.int16)
    states[..., :AGENTS] = COLUMNS
    sizes = np.zeros((count, 2), np.float32)
    sizes[:AGENTS] = SIZES
    log = Log(
        states=states,
        sizes=sizes,
        heights=sizes[:, 0],
        kinds=np.zeros(count, np.int8),
        ego=np.zeros((SCENES, 5), np.float32),
        steps=jnp.int32(SCENES),
    )
    nothing = jnp.zeros(SCENES)
    turned = jnp.linspace(0.0, 6.0, SCENES)
    motion = Motion(nothing, nothing, turned, jnp.abs(10.0 * jnp.sin(turned)), nothing, nothing, nothing)
    ignored = jnp.broadcast_to(pack_bits(jnp.arange(count) % 5 == 0), (SCENES, -(-count // 32)))
    ego = SimState(jnp.zeros(SCENES, jnp.int32), motion, nothing, nothing, nothing, ignored)
    one = jax.jit(jax.vmap(lambda row, state: measure_agents(log, row, state, moving_mps=0.5)))
    return [np.asarray(leaf) for leaf in one(jnp.asarray(states), ego)]


@pytest.mark.parametrize("count", [128, 256, 512])
def test_agents_judged_in_groups_are_those_judged_at_once_to_the_bit(count: int) -> None:
    assert (len(groups_of(AGENTS)), len(groups_of(512))) == (1, 8)
    whole = measured(AGENTS)
    assert 0.1 < whole[0].mean() < 0.9, "collisions and free rides"
    assert np.isfinite(whole[2]).any()
    for one, other in zip(whole, measured(count), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("agents", [0, 1, 31, 32, 64, 96, 128, 320, 512, 1000, 1024])
def test_groups_hold_every_agent_once_and_begin_at_words(agents: int) -> None:
    groups = groups_of(agents)
    assert [number for group in groups for number in range(agents)[group]] == list(range(agents))
    assert all(group.start % 32 == 0 for group in groups)
    assert len({group.stop - group.start for group in groups}) == 1
