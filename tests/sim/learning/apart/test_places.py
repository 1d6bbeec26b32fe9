import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from sim.learning.apart import Places, shared_out

pytestmark = pytest.mark.long

HERE = jax.devices()[0]

FOUR = """
import threading
from dataclasses import replace
from functools import partial
import jax
import jax.numpy as jnp
import numpy as np
from sim.learning.apart import Course, begun, practise, shared_out
from sim.learning.improving import ImproveSpec, act, learn, start
from sim.learning.state import OptimiserSpec
from tests.sim.learning.scenes import COUNTS, DRIVE, NETWORK, learner, store

optimiser = OptimiserSpec(learning_rate=2e-3, warm_up=2)
spec = ImproveSpec(scenes=4, sequence=4, optimiser=optimiser)
chance, key = jnp.ones(8) / 8, jax.random.key(9)
places = replace(shared_out(jax.devices()), behind=0)
assert [[one.id for one in devices] for devices in (places.acting, places.learning)] == [[0, 1], [2, 3]]
actors = [start(store(), chance, jax.random.key(5 + n), spec=spec, drive=DRIVE) for n in range(2)]
how = {"network": NETWORK, "spec": spec, "drive": DRIVE}
run = practise(begun(learner(optimiser), actors, places=places), Course(store(), chance), key,
               updates=2, places=places, **how)
for leaf in jax.tree.leaves(run.learner):
    copies = [np.asarray(shard.data) for shard in leaf.addressable_shards]
    assert {shard.device.id for shard in leaf.addressable_shards} == {2, 3}
    np.testing.assert_array_equal(*copies)

@jax.jit
def both(made, actors, keys):
    acting, learning = jax.vmap(jax.random.split, out_axes=1)(keys)
    drive = lambda actors, key: act(store(), chance, actors, made.parameters, key, **how)
    actors, lived, _ = jax.lax.map(lambda one: drive(*one), (actors, acting))
    one = lambda lived, key: learn(made, lived, key, network=NETWORK, counts=COUNTS, spec=spec, axis="both")
    after, _ = jax.vmap(one, axis_name="both")(lived, learning)
    return jax.tree.map(lambda leaf: leaf[0], after), actors

made, together = learner(optimiser), jax.tree.map(lambda *leaves: jnp.stack(leaves), *actors)
for number in range(2):
    keys = jax.vmap(partial(jax.random.fold_in, key))(2 * number + jnp.arange(2))
    made, together = both(made, together, keys)
parts = [jax.tree.map(lambda leaf: leaf[n], together) for n in range(2)]
found, expected = (run.learner.parameters, list(run.actors)), (made.parameters, parts)
for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
    np.testing.assert_allclose(np.asarray(one, float), np.asarray(other, float), rtol=1e-4, atol=1e-5)

assert threading.active_count() == 1
print("the same numbers")
"""
"""Devices 0 and 1 act, 2 and 3 learn; against the same in one program."""


def test_on_four_devices_two_actors_and_two_learners_make_the_numbers_of_one_program() -> None:
    # What is compared are two ways to the same numbers, not the compiler's skill: little of it saves half the time.
    flags = "--xla_force_host_platform_device_count=4 --xla_backend_optimization_level=0"
    environment = {**os.environ, "XLA_FLAGS": flags, "PYTHONPATH": str(Path.cwd())}
    run = subprocess.run([sys.executable, "-c", FOUR], capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr
    assert "the same numbers" in run.stdout


def test_one_device_acts_and_learns_and_the_odd_one_rests() -> None:
    assert shared_out([HERE]) == Places(acting=(HERE,), learning=(HERE,))
    with pytest.raises(ValueError, match="no device"):
        shared_out([])


def test_places_that_cannot_work_together_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one device, and each once"):
        Places(acting=(HERE, HERE), learning=(HERE, HERE))
    with pytest.raises(ValueError, match="0 actors for 1 learners"):
        Places(acting=(), learning=(HERE,))
    with pytest.raises(ValueError, match="behind 1 with 2 actors for 1 learners"):
        Places(acting=(HERE, HERE), learning=(HERE,), behind=1)
    with pytest.raises(ValueError, match="behind -1"):
        Places(acting=(HERE,), learning=(HERE,), behind=-1)
    with pytest.raises(ValueError, match="queue 0"):
        Places(acting=(HERE,), learning=(HERE,), queue=0)
