from collections import Counter
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

from al_platform.datasets.scenarios.store import layout_of, open_scenarios
from al_platform.errors import InvalidInput
from al_platform.policies.scenes import Scenes, WantedScenes, open_scenes, write_wanted
from al_platform.storage.arrays import ArrayRecord, write_shard
from al_platform.storage.blobs import BlobStore
from tests.al_platform.policies.lanes import ids, records, workplace
from tests.sim.learning.scenes import SIZES

WEIGHTS = (1.0, 3.0, 0.0, 2.0, 1.0, 1.0, 0.0, 0.0)


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path / "blobs"))


def opened(folder: Path, blobs: BlobStore, weights: tuple[float, ...] = WEIGHTS) -> Scenes:
    place = workplace(folder)
    return open_scenes(place.scenarios_folder, blobs, write_wanted(blobs, WantedScenes(tuple(ids()), weights)))


def test_every_scene_is_drawn_as_often_as_its_weight_says(tmp_path: Path, blobs: BlobStore) -> None:
    scenes = opened(tmp_path, blobs)
    for number in range(5):
        counted = Counter(scenes.draw(jax.random.key(number), 20).tolist())
        for scene, weight in enumerate(WEIGHTS):
            assert abs(counted[scene] - 20 * weight / sum(WEIGHTS)) < 1.0


def test_a_draw_is_that_of_its_key(tmp_path: Path, blobs: BlobStore) -> None:
    scenes = opened(tmp_path, blobs)
    first = scenes.draw(jax.random.key(1), 7)
    np.testing.assert_array_equal(first, scenes.draw(jax.random.key(1), 7))
    assert first.tolist() != scenes.draw(jax.random.key(2), 7).tolist()


def test_scenes_are_loaded_by_number_whatever_else_the_store_holds(tmp_path: Path, blobs: BlobStore) -> None:
    place = workplace(tmp_path)
    few = WantedScenes((ids()[5], ids()[2]), (1.0, 1.0))
    scenes = open_scenes(place.scenarios_folder, blobs, write_wanted(blobs, few))
    loaded = scenes.load([1, 0, 1])
    expected = [np.asarray(records()[row].arrays["log.ego"]) for row in (2, 5, 2)]
    np.testing.assert_array_equal(loaded.log.ego, np.stack(expected))
    assert scenes.ids_of([1, 0, 1]) == sorted(few.ids)


def test_scenes_of_two_sizes_are_refused(tmp_path: Path, blobs: BlobStore) -> None:
    place = workplace(tmp_path)
    wider = replace(SIZES, agents=9)
    other = ArrayRecord("scn_wide", records()[0].about, records()[0].arrays)
    write_shard(Path(place.scenarios_folder), [other], layout=layout_of(wider))
    mixed = write_wanted(blobs, WantedScenes((ids()[0], "scn_wide"), (1.0, 1.0)))
    with pytest.raises(InvalidInput, match=r"scenario scn_wide: prepared with .*agents=9.* with the same --size"):
        open_scenes(place.scenarios_folder, blobs, mixed)
    assert len(open_scenarios(place.scenarios_folder, sizes=SIZES)) == 8


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((0.0, 0.0), "all 2 weights are 0"),
        ((1.0, -1.0), "weight -1.0 of scenario b"),
        ((1.0, float("nan")), "weight nan of scenario b"),
        ((1.0,), "1 weights of 2 scenarios"),
    ],
)
def test_weights_that_nothing_can_be_drawn_by_are_refused(weights: tuple[float, ...], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        WantedScenes(("a", "b"), weights)


def test_no_scenes_are_refused() -> None:
    with pytest.raises(InvalidInput, match="no scenarios: give a dataset version or a filter"):
        WantedScenes((), ())
