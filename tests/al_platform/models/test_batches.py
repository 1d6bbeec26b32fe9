import jax
import jax.numpy as jnp
import numpy as np
import pytest

from al_platform.models.batches import in_fixed_batches, in_groups, padded_batches


@pytest.mark.parametrize("count", [0, 1, 4, 5, 9])
def test_any_number_of_frames_sees_one_batch_size(count):
    sizes = []

    def doubled(frames):
        sizes.append(len(frames))
        return jnp.asarray(frames) * 2

    frames = np.arange(count * 3, dtype=np.float32).reshape(count, 3)
    np.testing.assert_array_equal(in_fixed_batches(doubled, 4)(frames), frames * 2)
    assert set(sizes) == {4}


def test_padding_repeats_a_real_frame_and_is_counted_out():
    ((batch, count),) = padded_batches(np.array([[1.0], [2.0]]), 4)
    assert count == 2
    np.testing.assert_array_equal(batch[:, 0], [1.0, 2.0, 2.0, 2.0])


@pytest.mark.parametrize(("batch", "at_most"), [(8, 4), (6, 4), (7, 4), (3, 16)])
def test_groups_inside_a_batch_give_what_the_batch_gives(batch, at_most):
    frames = jnp.arange(batch * 2, dtype=jnp.float32).reshape(batch, 2)
    found = jax.jit(lambda x: in_groups(lambda part: (part + 1, part.sum(-1)), x, at_most=at_most))(frames)
    np.testing.assert_array_equal(found[0], frames + 1)
    np.testing.assert_array_equal(found[1], frames.sum(-1))
