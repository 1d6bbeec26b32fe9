from dataclasses import fields, replace

import jax.numpy as jnp
import numpy as np

from sim.measures import StepMetrics
from sim.rewards import NEVER, DoneSpec, RewardSpec, done, reward, reward_terms


def quiet_step() -> StepMetrics:
    flags = {
        "valid",
        "collision",
        "at_fault",
        "off_road",
        "off_route",
        "red_light",
        "stop_line",
        "wrong_way",
        "reversal",
    }
    values = {field.name: jnp.zeros((), bool if field.name in flags else jnp.float32) for field in fields(StepMetrics)}
    return StepMetrics(**{**values, "valid": jnp.ones((), bool)})


def test_the_reward_is_the_sum_of_its_named_terms() -> None:
    step = replace(
        quiet_step(), progress=jnp.float32(2.0), acceleration=jnp.float32(-3.0), collision=jnp.ones((), bool)
    )
    spec = RewardSpec(progress=0.5, acceleration=-0.1, collision=-7.0)
    terms = reward_terms(step, spec)
    np.testing.assert_allclose(terms["acceleration"], -0.1 * 0.2 * 9.0, rtol=1e-6)
    np.testing.assert_allclose(reward(step, spec), 1.0 - 0.18 - 7.0, rtol=1e-6)
    assert reward(replace(step, valid=jnp.zeros((), bool)), spec) == 0.0


def test_each_event_ends_an_episode_only_where_it_is_asked_to() -> None:
    for event in ("collision", "off_route", "off_road", "red_light", "stop_line"):
        step = replace(quiet_step(), **{event: jnp.ones((), bool)})
        assert done(step, replace(NEVER, **{event: True}))
        assert not done(step, NEVER)
    assert not done(replace(quiet_step(), off_road=jnp.ones((), bool)), DoneSpec())
