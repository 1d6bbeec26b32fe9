"""The smallest of many numbers, in order: what `lax.top_k` gives, in wide loops that all cores share.

`top_k` runs on one core and branches at each number. Here a coarse count finds how large the K-th smallest may be,
the few numbers up to there are drawn together, and each is put where the count of smaller ones says.

Axes: A numbers, K of them wanted, C candidates, W words of 32.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32, Int32, Shaped

from sim.lookup import take
from sim.state import WORD, pack_bits

MOST_FAST = 128
"""More are left to `top_k`: the counts grow with the square."""
_DIGIT = 16
_FIRST_LEVEL, _LEVEL_BITS = 0x40800000, 19
"""Levels begin at 4.0 and there are 16 to an octave: for squared metres, from 2 m to 512 m in steps of 2 %."""
_LAST = 2**31 - 2


def smallest(costs: Float32[Array, "A"], most: int) -> tuple[Int32[Array, "K"], Bool[Array, "K"]]:
    """Positions of the `most` smallest costs (>= 0, infinite for none), smallest first and the first of equals first,
    and whether there is one."""
    slots = jnp.arange(most, dtype=jnp.int32)
    keys = jax.lax.bitcast_convert_type(jax.lax.stop_gradient(costs), jnp.int32)
    here = keys < _infinite()
    wide = costs.shape[0] % WORD == 0 and costs.shape[0] >= 2 * most and most <= MOST_FAST
    index: Array = _smallest(keys, slots) if wide else _sorted(keys, slots)
    return index, slots < jnp.sum(here)


def _infinite() -> Int32[Array, ""]:
    """Floats that are not negative are in order as integers too."""
    return jax.lax.bitcast_convert_type(jnp.float32(jnp.inf), jnp.int32)


@jax.custom_batching.custom_vmap
def _smallest(keys: Int32[Array, "*b A"], slots: Int32[Array, "K"]) -> Int32[Array, "*b K"]:
    """The fast way wherever it is exact; where one scene of a batch has too many candidates, all are sorted."""
    fast = _counted
    for _ in range(keys.ndim - 1):
        fast = jax.vmap(fast, in_axes=(0, None))
    index, exact = fast(keys, slots)
    found: Array = jax.lax.cond(jnp.all(exact), lambda: index, lambda: _sorted(keys, slots))
    return found


@_smallest.def_vmap
def _smallest_batched(
    size: int, batched: list[bool], keys: Int32[Array, "b *more A"], slots: Int32[Array, "K"]
) -> tuple[Int32[Array, "b *more K"], bool]:
    del size, batched  # The slots are a constant: only the keys can have the new axis.
    return _smallest(keys, slots), True


def _sorted(keys: Int32[Array, "*b A"], slots: Int32[Array, "K"]) -> Int32[Array, "*b K"]:
    costs = jax.lax.bitcast_convert_type(keys, jnp.float32)
    return jax.lax.top_k(-costs, slots.shape[0])[1].astype(jnp.int32)


def _counted(keys: Int32[Array, "A"], slots: Int32[Array, "K"]) -> tuple[Int32[Array, "K"], Bool[Array, ""]]:
    """Positions of the smallest, and whether all candidates found room."""
    room = slots.shape[0] * 3 // 2
    candidates = _up_to_level_of(keys, slots.shape[0])
    position, filled, count = _drawn_together(candidates, room)
    key = _alone(jnp.where(filled, take(keys, position), _LAST))
    places = jnp.arange(room, dtype=jnp.int32)
    none = jnp.zeros_like(key)
    rank = _alone(sum(((key[n] < key + (places > n)).astype(jnp.int32) for n in range(room)), start=none))
    ordered = sum((jnp.where(rank[n] == slots, position[n], 0) for n in range(room)), start=jnp.zeros_like(slots))
    return _alone(ordered), count <= room


def _alone(values: Shaped[Array, "..."]) -> Shaped[Array, "..."]:
    """The same numbers as an array in memory, not computed anew by each of their many readers.

    Sums over a short axis are written out as sums of rows here: a loop over rows runs in wide registers, where one
    over a minor axis does not.
    """
    stored: Array = jax.lax.optimization_barrier(values)
    return stored


def _up_to_level_of(keys: Int32[Array, "A"], wanted: int) -> Bool[Array, "A"]:
    """Which are at most of the level of the `wanted`-th smallest; none that is infinite."""
    here = keys < _infinite()
    levels = jnp.clip((keys - _FIRST_LEVEL) >> _LEVEL_BITS, 0, _DIGIT * _DIGIT - 2)
    levels = _alone(jnp.where(here, levels, _DIGIT * _DIGIT - 1))
    rows = levels.reshape(WORD, -1)
    limit = jnp.zeros((), jnp.int32)
    for unit in (_DIGIT, 1):
        ends = limit + unit * (1 + jnp.arange(_DIGIT, dtype=jnp.int32))[:, None]
        none = jnp.zeros((_DIGIT, rows.shape[1]), jnp.int32)
        below = jnp.sum(_alone(sum(((row < ends).astype(jnp.int32) for row in rows), start=none)), axis=1)
        limit = _alone(limit + unit * jnp.sum((below < wanted).astype(jnp.int32)))
    return here & (levels <= limit)


def _drawn_together(flags: Bool[Array, "A"], room: int) -> tuple[Int32[Array, "C"], Bool[Array, "C"], Int32[Array, ""]]:
    """Positions of the first `room` flags that are set, which of these exist, and how many flags are set."""
    words = _alone(pack_bits(flags))
    counts = jax.lax.population_count(words).astype(jnp.int32)
    number = jnp.arange(words.shape[0])
    ends = _alone(jnp.sum(jnp.where(number <= number[:, None], counts, 0), axis=1))
    places = jnp.arange(room, dtype=jnp.int32)
    word = jnp.minimum(jnp.sum((ends <= places[:, None]).astype(jnp.int32), axis=1), words.shape[0] - 1)
    bits, rank = take(words, word), places - take(ends - counts, word)
    bit = jnp.zeros(room, jnp.int32)
    for width in (16, 8, 4, 2, 1):
        half = (bits >> bit.astype(jnp.uint32)) & jnp.uint32(2**width - 1)
        lower = jax.lax.population_count(half).astype(jnp.int32)
        beyond = rank >= lower
        bit, rank = bit + jnp.where(beyond, width, 0), rank - jnp.where(beyond, lower, 0)
    return _alone(word * WORD + bit), places < ends[-1], ends[-1]
