"""The smallest of many numbers, in order: what `lax.top_k` gives, in wide loops that all cores share.

`top_k` runs on one core and branches at each number. Here a coarse count finds how large the K-th smallest may be,
the few numbers up to there are drawn together, and each is put where the count of smaller ones says.

Axes: A numbers, K of them wanted, C candidates, W words of 32.
"""

import math

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float32, Int32

from sim.bits import WORD, pack_bits
from sim.lookup import take

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
    """The fast way wherever it is exact; where one scene of a batch has too many candidates, all are sorted.

    What the branches are given lies in memory: the many readers of a candidate do not compute it anew.
    """
    candidates, ranks = _candidates, _ranks
    for _ in range(keys.ndim - 1):
        candidates, ranks = jax.vmap(candidates, in_axes=(0, None)), jax.vmap(ranks)
    positions, found, all_found = candidates(keys, slots)
    ordered: Array = jax.lax.cond(
        jnp.all(all_found), lambda: _put(positions, ranks(found), slots), lambda: _sorted(keys, slots)
    )
    return ordered


@_smallest.def_vmap
def _smallest_batched(
    size: int, batched: list[bool], keys: Int32[Array, "b *more A"], slots: Int32[Array, "K"]
) -> tuple[Int32[Array, "b *more K"], bool]:
    del size, batched  # The slots are a constant: only the keys can have the new axis.
    return _smallest(keys, slots), True


def _sorted(keys: Int32[Array, "*b A"], slots: Int32[Array, "K"]) -> Int32[Array, "*b K"]:
    costs = jax.lax.bitcast_convert_type(keys, jnp.float32)
    return jax.lax.top_k(-costs, slots.shape[0])[1].astype(jnp.int32)


def _candidates(
    keys: Int32[Array, "A"], slots: Int32[Array, "K"]
) -> tuple[Int32[Array, "C"], Int32[Array, "C"], Bool[Array, ""]]:
    """Positions and keys of all that may be among the smallest, and whether they found room."""
    room = slots.shape[0] * 3 // 2
    position, filled, count = _drawn_together(_up_to_level_of(keys, slots.shape[0]), room)
    return position, jnp.where(filled, take(keys, position), _LAST), count <= room


def _ranks(keys: Int32[Array, "C"]) -> Int32[Array, "C"]:
    """How many are smaller, or equal and before.

    The count is written out as a sum of rows: that runs in wide registers, where a loop over a minor axis does not.
    """
    number = jnp.arange(keys.shape[0], dtype=jnp.int32)
    smaller = ((key < keys + (number > n)).astype(jnp.int32) for n, key in enumerate(keys))
    return sum(smaller, start=jnp.zeros_like(keys))


def _put(
    positions: Int32[Array, "*b C"], ranks: Int32[Array, "*b C"], slots: Int32[Array, "K"]
) -> Int32[Array, "*b K"]:
    """The positions in the order of their ranks, as far as there are slots: those of all scenes in one long table."""
    most, scenes = slots.shape[0], math.prod(positions.shape[:-1])
    first = (jnp.arange(scenes, dtype=jnp.int32) * most)[:, None]
    ranks = ranks.reshape(scenes, -1)
    places = jnp.where(ranks < most, first + ranks, scenes * most).reshape(-1)
    table = jnp.zeros(scenes * most, jnp.int32).at[places].set(positions.reshape(-1), mode="drop")
    return table.reshape(*positions.shape[:-1], most)


def _up_to_level_of(keys: Int32[Array, "A"], wanted: int) -> Bool[Array, "A"]:
    """Which are at most of the level of the `wanted`-th smallest; none that is infinite."""
    here = keys < _infinite()
    levels = jnp.clip((keys - _FIRST_LEVEL) >> _LEVEL_BITS, 0, _DIGIT * _DIGIT - 2)
    levels = jnp.where(here, levels, _DIGIT * _DIGIT - 1)
    digits = jnp.arange(1, _DIGIT + 1, dtype=jnp.int32)[:, None]

    def refined(number: Int32[Array, ""], limit: Int32[Array, ""]) -> Int32[Array, ""]:
        ends = limit + jnp.where(number == 0, _DIGIT, 1) * digits
        rows = levels.reshape(WORD, -1)
        none = jnp.zeros((_DIGIT, rows.shape[1]), jnp.int32)
        below = jnp.sum(sum(((row < ends).astype(jnp.int32) for row in rows), start=none), axis=1)
        return limit + jnp.where(number == 0, _DIGIT, 1) * jnp.sum((below < wanted).astype(jnp.int32))

    # A loop of two rounds, and not two in a row: what a loop reads lies in memory, else each count would compute
    # the levels anew.
    limit = jax.lax.fori_loop(0, 2, refined, jnp.zeros((), jnp.int32))
    up_to: Array = here & (levels <= limit)
    return up_to


def _drawn_together(flags: Bool[Array, "A"], room: int) -> tuple[Int32[Array, "C"], Bool[Array, "C"], Int32[Array, ""]]:
    """Positions of the first `room` flags that are set, which of these exist, and how many flags are set."""
    words = pack_bits(flags)
    counts = jax.lax.population_count(words).astype(jnp.int32)
    number = jnp.arange(words.shape[0])
    ends = jnp.sum(jnp.where(number <= number[:, None], counts, 0), axis=1)
    places = jnp.arange(room, dtype=jnp.int32)
    word = jnp.minimum(jnp.sum((ends <= places[:, None]).astype(jnp.int32), axis=1), words.shape[0] - 1)
    bits, rank = take(words, word), places - take(ends - counts, word)
    bit = jnp.zeros(room, jnp.int32)
    for width in (16, 8, 4, 2, 1):
        half = (bits >> bit.astype(jnp.uint32)) & jnp.uint32(2**width - 1)
        lower = jax.lax.population_count(half).astype(jnp.int32)
        beyond = rank >= lower
        bit, rank = bit + jnp.where(beyond, width, 0), rank - jnp.where(beyond, lower, 0)
    return word * WORD + bit, places < ends[-1], ends[-1]
