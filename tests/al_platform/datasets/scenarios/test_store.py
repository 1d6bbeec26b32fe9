"""A store with damage, and a store far away: what is whole is read, and what is not is named."""

from pathlib import Path

import fsspec
import numpy as np
import pytest

from al_platform.datasets import load_scenarios
from al_platform.datasets.scenarios.store import Scenarios, arrays_of, layout_of, scenario_id_of
from al_platform.errors import CorruptBlob, NotFound
from al_platform.storage.arrays import ArrayRecord, faults_of_shards, write_shard
from sim.preparing import prepare
from tests.sim.scenes import SMALL, road_recording

ARRAYS = [arrays_of(prepare(road_recording(seed=seed, agents=8), SMALL).scenario) for seed in range(3)]
IDS = [scenario_id_of(arrays) for arrays in ARRAYS]


def write(folder: Path, numbers: tuple[int, ...]) -> Path:
    """The file of a shard of these scenes."""
    records = [ArrayRecord(IDS[n], {"name": f"d/s/{n}", "tags": []}, ARRAYS[n]) for n in numbers]
    return folder / f"{write_shard(folder, records, layout=layout_of(SMALL))[0].shard}.arrays"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two shards, of scenes 0 and 1 and of scene 2."""
    write(tmp_path / "store", (2,))
    return tmp_path / "store"


def flip_bit_of(path: Path, number: int) -> None:
    """Change one bit of the log of a scene."""
    content = bytearray(path.read_bytes())
    content[content.index(ARRAYS[number]["log.states"].tobytes()) + 5] ^= 1
    path.write_bytes(content)


def assert_whole(store: Scenarios, number: int) -> None:
    scenario = store[store.rows_of([IDS[number]])[0]]
    for name, array in arrays_of(scenario).items():
        np.testing.assert_array_equal(array, ARRAYS[number][name])


def test_a_changed_scene_is_named_and_its_neighbours_are_read(folder: Path) -> None:
    path = write(folder, (0, 1))
    flip_bit_of(path, 1)
    store = load_scenarios(str(folder))
    assert_whole(store, 0)
    assert_whole(store, 2)
    with pytest.raises(CorruptBlob, match=rf"{path}: scenario {IDS[1]} was changed; .*--again"):
        store[store.rows_of([IDS[1]])[0]]
    with pytest.raises(CorruptBlob, match=IDS[1]):
        store.batch(store.rows_of(IDS))
    assert store.batch(store.rows_of([IDS[2], IDS[0]])).log.ego.shape[0] == 2
    (fault,) = faults_of_shards(folder, id_of=scenario_id_of)
    assert f"{path}: record {IDS[1]} was changed in log.states" in fault


@pytest.mark.parametrize("left", [0, 5000])
def test_a_torn_shard_is_named_and_the_others_are_read(folder: Path, left: int) -> None:
    path = write(folder, (0, 1))
    path.write_bytes(path.read_bytes()[:left])
    store = load_scenarios(str(folder))
    assert (store.ids, [shard.ids for shard in store.damaged]) == ((IDS[2],), [(IDS[0], IDS[1])])
    assert_whole(store, 2)
    with pytest.raises(CorruptBlob, match=rf"scenario {IDS[1]}: shard {path}: {left} bytes, .*--again"):
        store.rows_of([IDS[1]])
    with pytest.raises(NotFound, match="scn_unknown: not in the store, as are 1 more, or prepared for another version"):
        store.rows_of(["scn_unknown", "scn_other"])
    (fault,) = faults_of_shards(folder, id_of=scenario_id_of)
    assert str(path) in fault


def test_of_a_shard_with_a_broken_list_nobody_knows_what_it_held(folder: Path) -> None:
    manifest = write(folder, (0, 1)).with_suffix(".json")
    manifest.write_bytes(manifest.read_bytes().replace(b"scn_", b"xcn_"))
    store = load_scenarios(str(folder))
    assert_whole(store, 2)
    with pytest.raises(CorruptBlob, match=f"scenario {IDS[0]}: not in the store, or in what is damaged: manifest"):
        store.rows_of([IDS[0]])


def test_a_store_of_nothing_but_damage_is_refused(tmp_path: Path) -> None:
    write(tmp_path, (0, 1)).unlink()
    with pytest.raises(CorruptBlob, match="0 bytes"):
        load_scenarios(str(tmp_path))


def copied(folder: Path, url: str) -> fsspec.AbstractFileSystem:
    filesystem, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
    for path in folder.iterdir():
        filesystem.pipe_file(f"{root}/{path.name}", path.read_bytes())
    return filesystem


def assert_reads_remote(folder: Path, url: str, cache: Path) -> None:
    write(folder, (0, 1))
    filesystem = copied(folder, url)
    store = load_scenarios(url, cache=cache)
    assert not list(cache.rglob("*")), "nothing is fetched before it is read"
    for number in range(3):
        assert_whole(store, number)
    assert isinstance(store[0].log.states, np.memmap)
    kept = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    assert 0 < kept <= sum(path.stat().st_size for path in folder.glob("*.arrays"))
    again = load_scenarios(url, cache=cache)  # what is kept is read although the store has lost it
    for path in folder.glob("*.arrays"):
        name = filesystem._strip_protocol(f"{url}/{path.name}")
        filesystem.pipe_file(name, bytes(path.stat().st_size), overwrite=True)
    for number in range(3):
        assert_whole(again, number)
    with pytest.raises(CorruptBlob, match=r"shard .*\.arrays: .* was changed"):
        load_scenarios(url, cache=cache.with_name("other"))[0]


def test_a_store_behind_a_url_is_fetched_as_it_is_read_and_mapped(folder: Path, tmp_path: Path) -> None:
    assert_reads_remote(folder, f"memory://{tmp_path.name}", tmp_path / "cache")


def test_a_store_on_azure_is_fetched_as_it_is_read_and_mapped(folder: Path, tmp_path: Path, azure_url: str) -> None:
    assert_reads_remote(folder, azure_url, tmp_path / "cache")


def test_where_no_store_is_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="memory://nowhere"):
        load_scenarios("memory://nowhere", cache=tmp_path)
