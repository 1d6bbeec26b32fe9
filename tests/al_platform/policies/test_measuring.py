"""Scenes are weighed by how many of the drivers fail in them."""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from al_platform.domain.policies import PracticeRecipe
from al_platform.errors import InvalidInput
from al_platform.policies.measuring import hard_first, measured
from al_platform.policies.recipes import network_of, training_drive
from al_platform.policies.scenes import WantedScenes, open_scenes, write_wanted
from al_platform.policies.stored import fresh_parameters
from al_platform.storage.blobs import BlobStore
from tests.al_platform.policies.lanes import PRACTISED, ids, workplace


def test_where_more_drivers_fail_is_drawn_more_often(tmp_path: Path) -> None:
    """One driver brakes gently and goes straight, the other is at the throttle."""
    place = workplace(tmp_path)
    blobs = BlobStore(place.storage_url)
    scenes = open_scenes(
        place.scenarios_folder, blobs, write_wanted(blobs, WantedScenes(tuple(ids()), tuple(np.arange(1.0, 9.0))))
    )
    network, drive = network_of(PRACTISED), training_drive(PRACTISED)
    keys = jax.random.split(jax.random.key(0), 2)
    gentle = fresh_parameters(network, keys, actions=drive.actions, observation=drive.observation)
    throttle = jnp.arange(float(drive.actions.accelerations))
    both = jax.tree.map(
        lambda leaf: jnp.asarray(leaf).at[1].set(throttle) if leaf.shape == (2, drive.actions.accelerations) else leaf,
        gentle,
    )
    weighed = hard_first(scenes, both, network, hard=5.0, members=2, drive=drive)
    share = (weighed.weights / scenes.weights - 1.0) / 4.0
    assert share.mean() == pytest.approx(measured(both, network, scenes, members=2, drive=drive)["failure"])
    assert set(share.tolist()) <= {0.0, 0.5, 1.0}
    assert share.max() > 0.0, "somebody fails somewhere"
    assert (weighed.ids, weighed.rows) == (scenes.ids, scenes.rows)


def test_hard_scenes_cannot_be_drawn_less_often_than_others() -> None:
    with pytest.raises(InvalidInput, match=r"hard 0\.5: must be at least 1"):
        replace(PracticeRecipe(), hard=0.5)
