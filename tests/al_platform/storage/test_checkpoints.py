from dataclasses import dataclass
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from al_platform.storage.checkpoints import OrbaxCheckpoints


@dataclass(frozen=True)
class Counted:
    step: jax.Array
    values: dict[str, jax.Array]


def test_what_was_compiled_for_a_fresh_state_serves_a_restored_one(tmp_path: Path) -> None:
    fresh = Counted(jnp.int32(3), {"weights": jnp.arange(4.0), "counts": jnp.arange(3)})
    OrbaxCheckpoints(tmp_path, every_s=0.0).save(fresh, last=False, stopping=True)
    restored = OrbaxCheckpoints(tmp_path).restore(fresh)
    assert restored is not None
    assert int(restored.step) == 3
    double = jax.jit(lambda values: jax.tree.map(lambda leaf: 2 * leaf, values))
    assert double.lower(restored.values).as_text() == double.lower(fresh.values).as_text()
    for one, other in zip(jax.tree.leaves(restored.values), jax.tree.leaves(fresh.values), strict=True):
        np.testing.assert_array_equal(one, other)
