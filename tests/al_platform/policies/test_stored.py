from functools import cache
from pathlib import Path

import jax
import numpy as np
import pytest

from al_platform.errors import CorruptBlob, InvalidInput, NotFound
from al_platform.policies.stored import Drivers, example_of, fresh_parameters, read_drivers, write_drivers
from al_platform.storage.blobs import BlobStore
from sim.actions import ActionSpec
from sim.networks import NetworkSpec, apply
from sim.observation.record import ObservationSpec

TINY = NetworkSpec(width=8, heads=2, latents=2, agent_layers=1, latent_layers=1, head_blocks=1)
ACTIONS = ActionSpec(accelerations=5, steering_rates=3)
SIGHT = ObservationSpec(agents=4, roads=6, points=16)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path / "blobs"))


@cache
def drivers(members: int = 3) -> Drivers:
    keys = jax.random.split(jax.random.key(4), members)
    return Drivers(TINY, fresh_parameters(TINY, keys, actions=ACTIONS, observation=SIGHT), ACTIONS, SIGHT)


def test_drivers_come_back_as_they_were(blobs: BlobStore) -> None:
    stored = write_drivers(blobs, drivers())
    back = read_drivers(blobs, stored)
    assert (back.network, back.actions, back.observation, back.members) == (TINY, ACTIONS, SIGHT, 3)
    for one, other in zip(jax.tree.leaves(back.parameters), jax.tree.leaves(drivers().parameters), strict=True):
        np.testing.assert_array_equal(one, other)
    assert write_drivers(blobs, back) == stored


def test_a_member_drives_alone(blobs: BlobStore) -> None:
    back = read_drivers(blobs, write_drivers(blobs, drivers()))
    outputs = apply(TINY, back.member(1), example_of(SIGHT), actions=ACTIONS.counts)
    assert outputs.acceleration.shape == (5,)
    with pytest.raises(InvalidInput, match="driver 3: this policy has drivers 0 to 2"):
        back.member(3)


def test_members_begin_differently() -> None:
    latents = drivers().parameters["params"]["encoder"]["latents"]
    assert not np.array_equal(latents[0], latents[1])


def test_a_blob_that_is_something_else_is_told(blobs: BlobStore) -> None:
    with pytest.raises(CorruptBlob, match="holds no drivers"):
        read_drivers(blobs, blobs.put(b"neither").hash)
    with pytest.raises(NotFound):
        read_drivers(blobs, "0" * 40)


def test_weights_of_another_shape_are_told(blobs: BlobStore) -> None:
    wide = Drivers(NetworkSpec(width=16, heads=2, latents=2), drivers().parameters, ACTIONS, SIGHT)
    with pytest.raises(CorruptBlob, match="this platform's network has"):
        read_drivers(blobs, write_drivers(blobs, wide))


def test_drivers_of_another_size_than_the_wanted_are_refused(blobs: BlobStore) -> None:
    stored = write_drivers(blobs, drivers())
    assert read_drivers(blobs, stored, network=TINY).network == TINY
    with pytest.raises(InvalidInput, match=r"their network is .*width=8.* not .*width=16"):
        read_drivers(blobs, stored, network=NetworkSpec(width=16, heads=2))
