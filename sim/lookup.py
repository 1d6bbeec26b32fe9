"""Reading tables at computed places, so that a batch of scenes reads one long table and nothing is copied."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int32, Shaped

from sim.scenario.record import Leaf

LARGEST = 2**31 - 1


def take(table: Shaped[Leaf, "N *row"], index: Int32[Array, "*n"]) -> Shaped[Array, "..."]:
    """Rows of a table; every index must be in [0, N).

    Under `vmap` the tables of all scenes are read as one: the form that XLA makes one plain loop of.
    """
    rows: Array = _take(jnp.asarray(table), index)
    return rows


@jax.custom_batching.custom_vmap
def _take(table: Shaped[Array, "N *row"], index: Int32[Array, "*n"]) -> Shaped[Array, "..."]:
    return table.at[index].get(mode="promise_in_bounds")


@_take.def_vmap
def _take_batched(
    size: int, batched: list[bool], table: Shaped[Array, "..."], index: Int32[Array, "..."]
) -> tuple[Shaped[Array, "..."], bool]:
    if not batched[0]:
        return _take(table, index), True
    rows = table.shape[1]
    if not batched[1]:
        index = jnp.broadcast_to(index, (size, *index.shape))
    if size * rows > LARGEST:
        return jax.vmap(lambda one, at: one.at[at].get(mode="promise_in_bounds"))(table, index), True
    first = (jnp.arange(size, dtype=jnp.int32) * rows).reshape(size, *(1,) * (index.ndim - 1))
    return _take(table.reshape(size * rows, *table.shape[2:]), index + first), True


def row(table: Shaped[Leaf, "N *row"], index: Int32[Array, ""]) -> Shaped[Array, "*row"]:
    """One row of a table, the nearest where the index lies outside."""
    return jax.lax.dynamic_index_in_dim(jnp.asarray(table), jnp.clip(index, 0, table.shape[0] - 1), 0, keepdims=False)


def window(table: Shaped[Leaf, "N *row"], first: Int32[Array, ""], count: int) -> Shaped[Array, "count *row"]:
    """`count` rows from `first` on, which must be in [0, N - count]."""
    return take(table, first + jnp.arange(count, dtype=jnp.int32))
