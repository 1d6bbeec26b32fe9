"""V-trace: what states were worth, from a drive that a slightly older policy made.

Axes: T steps of one sequence. Time is in the names: `r_t` belongs to the step that leads to the state of `v_t`.
"""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Targets:
    """What to learn from a sequence."""

    value: Float[Array, "*b T"]
    """Target of the value at the start of each step."""
    advantage: Float[Array, "*b T"]
    """How much better the step was than what the value had expected, for the policy's gradient."""


def vtrace(
    log_rho_tm1: Float[Array, "T"],
    v_tm1: Float[Array, "T"],
    v_t: Float[Array, "T"],
    *,
    r_t: Float[Array, "T"],
    discount_t: Float[Array, "T"],
    most_rho: float = 1.0,
    most_c: float = 1.0,
    trace: float = 1.0,
) -> Targets:
    """Targets of one sequence; vmap for many.

    `log_rho_tm1` is log of target policy over behaviour policy for the action taken; `discount_t` is 0 where an
    episode ended with the step. With rho = min(most_rho, exp(log_rho)) and c = trace min(most_c, exp(log_rho))

        delta_t = rho (r_t + discount_t v_t - v_tm1)
        vs_tm1 = v_tm1 + delta_t + discount_t c (vs_t - v_t)
        advantage = rho (r_t + discount_t q_t - v_tm1), q_t = v_t + trace (vs_t - v_t)

    where vs behind the last step is its v_t. With a `trace` below 1 the values weigh more than what was lived through,
    the more so the later it came: less noise for more of the value's error. No gradient flows through the result.

    Source: Espeholt et al. 2018, Eq. 1, Remark 2 and section 4.2.
    """
    rho = jnp.minimum(most_rho, jnp.exp(log_rho_tm1))
    c = trace * jnp.minimum(most_c, jnp.exp(log_rho_tm1))
    delta = rho * (r_t + discount_t * v_t - v_tm1)

    def back(
        excess: Float[Array, ""], at: tuple[Float[Array, ""], ...]
    ) -> tuple[Float[Array, ""], tuple[Float[Array, ""], Float[Array, ""]]]:
        delta_t, discount, carried = at
        before = delta_t + discount * carried * excess
        return before, (before, excess)

    _, (excess_tm1, excess_t) = jax.lax.scan(back, jnp.zeros_like(delta[0]), (delta, discount_t, c), reverse=True)
    advantage = rho * (r_t + discount_t * (v_t + trace * excess_t) - v_tm1)
    return Targets(jax.lax.stop_gradient(v_tm1 + excess_tm1), jax.lax.stop_gradient(advantage))
