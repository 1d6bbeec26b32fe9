"""Generated scenes, prepared and stacked, ready to be stepped."""

import jax
import numpy as np
from jaxtyping import Array, Key, UInt32

from sim.generator.scene import scenes
from sim.generator.spec import GeneratorSpec
from sim.preparing import prepare
from sim.scenario import Scenario, Sizes


def generate(
    key: Key[Array, ""] | UInt32[Array, "2"],
    count: int,
    *,
    spec: GeneratorSpec | None = None,
    sizes: Sizes | None = None,
) -> Scenario:
    """So many scenes as one batch: every field begins with an axis of `count`. Equal keys give equal scenes.

    Raises: ValueError for a count below 1.
    """
    if count < 1:
        raise ValueError(f"count {count}: must be at least 1")
    seed = int(np.asarray(jax.random.bits(key, dtype=np.uint32)))
    sizes = sizes or Sizes()
    prepared = [prepare(recording, sizes).scenario for recording in scenes(seed, count, spec=spec)]
    return jax.tree.map(lambda *rows: np.stack(rows), *prepared)  # type: ignore[no-any-return]
