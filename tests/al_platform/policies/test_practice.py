from dataclasses import replace
from pathlib import Path

import jax
import pytest

from al_platform.errors import InvalidInput
from al_platform.policies.practice import Practice
from al_platform.policies.scenes import WantedScenes, open_scenes, write_wanted
from al_platform.storage.blobs import BlobStore
from tests.al_platform.policies.lanes import PRACTICE, PRACTISED, ids, workplace


def test_sequences_that_no_scenario_has_room_for_are_refused(tmp_path: Path) -> None:
    place = workplace(tmp_path)
    blobs = BlobStore(place.storage_url)
    scenes = open_scenes(place.scenarios_folder, blobs, write_wanted(blobs, WantedScenes(tuple(ids()), (1.0,) * 8)))
    Practice(PRACTISED, replace(PRACTICE, sequence=59), scenes, jax.random.key(0))
    with pytest.raises(InvalidInput, match="sequence 60: the scenarios have room for 59 steps; give no more"):
        Practice(PRACTISED, replace(PRACTICE, sequence=60), scenes, jax.random.key(0))
