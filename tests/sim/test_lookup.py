import jax
import jax.numpy as jnp
import numpy as np

from sim.lookup import in_memory, row

TABLE = jnp.asarray(np.random.default_rng(0).normal(size=(4, 7, 3)), jnp.float32)


def looked_up(step: jax.Array, table: jax.Array, shift: jax.Array) -> dict[str, jax.Array]:
    return {"row": row(table, step) + shift, "shift": shift}


def written(step: jax.Array, table: jax.Array, shift: jax.Array) -> dict[str, jax.Array]:
    return in_memory(looked_up, step, table, shift)


def assert_same(left: dict[str, jax.Array], right: dict[str, jax.Array]) -> None:
    jax.tree.map(np.testing.assert_array_equal, left, right)


def test_what_is_written_out_is_what_was_looked_up() -> None:
    step, shift = jnp.int32(5), jnp.float32(2.0)
    assert_same(written(step, TABLE[0], shift), looked_up(step, TABLE[0], shift))


def test_for_a_batch_it_is_each_alone_whether_its_scenes_are_at_one_step_or_not() -> None:
    shifts = jnp.arange(4.0)
    for steps, axes in ((jnp.int32(2), (None, 0, 0)), (jnp.arange(4, dtype=jnp.int32), (0, 0, 0))):
        assert_same(
            jax.jit(jax.vmap(written, axes))(steps, TABLE, shifts), jax.vmap(looked_up, axes)(steps, TABLE, shifts)
        )


def test_batches_of_batches_are_written_out_too() -> None:
    steps, shifts = jnp.arange(8, dtype=jnp.int32).reshape(2, 4) % 7, jnp.arange(8.0).reshape(2, 4)
    axes = (0, None, 0)
    twice = [jax.vmap(jax.vmap(function), axes)(steps, TABLE, shifts) for function in (written, looked_up)]
    assert_same(*twice)
