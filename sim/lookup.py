"""Reading tables at computed places, so that a batch of scenes reads one long table and nothing is copied."""

from collections.abc import Callable
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int32, Shaped

from sim.scenario.record import Leaf

Tree = TypeVar("Tree")

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
    place = jnp.clip(index, 0, table.shape[0] - 1)
    found: Array = jax.lax.dynamic_index_in_dim(jnp.asarray(table), place, 0, keepdims=False)
    return found


def in_memory(look_up: Callable[..., Tree], step: Int32[Array, ""], *tables: Leaf) -> Tree:
    """What `look_up` gives of a step (which is never negative) and tables, written out for those who read it.

    Else XLA on a CPU looks it up anew in the loop of each reader, and a look-up at a computed place keeps that loop
    from wide registers. What a branch gives lies in memory, so it stands in the branch that is always taken. It must
    be arrays, in tuples if in anything.
    """
    found: Tree = _in_memory(look_up)(step, *tables)
    return found


def _in_memory(look_up: Callable[..., Tree]) -> Callable[..., Tree]:
    def written(step: Int32[Array, "*b"], *tables: Array) -> Tree:
        def nothing(*tables: Array) -> Tree:
            shapes = jax.eval_shape(look_up, *tables)
            zeros: Tree = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
            return zeros

        given: Tree = jax.lax.cond(jnp.all(step >= 0), look_up, nothing, step, *tables)
        return given

    def batched(_: int, is_batched: list[bool], step: Array, *tables: Array) -> tuple[Tree, Any]:
        axes = tuple(0 if one else None for one in is_batched)
        result = _in_memory(jax.vmap(look_up, axes))(step, *tables)
        return result, jax.tree.map(lambda _: True, result)

    function = jax.custom_batching.custom_vmap(written)
    function.def_vmap(batched)
    return function


def window(table: Shaped[Leaf, "N *row"], first: Int32[Array, ""], count: int) -> Shaped[Array, "count *row"]:
    """`count` rows from `first` on, which must be in [0, N - count]."""
    return take(table, first + jnp.arange(count, dtype=jnp.int32))
