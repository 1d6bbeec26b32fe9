"""Taking recorded traffic in: once, whole, and again after whatever happened; and opening what came of it."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import jax
import numpy as np
import pytest

from al_platform.catalog.connection import Catalog
from al_platform.catalog.scenarios import count_scenarios, scenario_named, scenarios_matching, scenarios_page
from al_platform.datasets import load_scenarios
from al_platform.datasets.scenarios import store
from al_platform.datasets.scenarios.entering import EnteredScenarios
from al_platform.datasets.scenarios.ingest import IngestRequest, ingest_scenarios
from al_platform.datasets.scenarios.store import arrays_of, scenario_of
from al_platform.domain.paging import PageRequest
from al_platform.domain.progress import Progress, silent
from al_platform.errors import InvalidInput, NotFound, StorageUnavailable
from sim.preparing import prepare
from sim.scenario import Sizes
from tests import traffic
from tests.traffic import womd_json, write_json

SMALL = Sizes(agents=8, steps=16, route_points=64, lanes=2, stops=4, roads=128, tiles=16, grid=16, listed=16)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = Catalog.open(tmp_path / "catalog.duckdb")
    yield opened
    opened.close()


def write_drives(folder: Path, count: int) -> Path:
    """Files of one scene each, the ego a little later in each."""
    for number in range(count):
        scene = womd_json()
        scene["scenario_id"] = f"drive-{number}"
        for point in scene["objects"][1]["position"]:
            point["x"] += number
        write_json(folder / f"{number:03d}.json", scene)
    return folder


def taken(catalog: Catalog, path: Path, **changes: object) -> EnteredScenarios:
    request = IngestRequest(format="womd-json", path=path, folder=path.parent / "store", sizes=SMALL)
    return ingest_scenarios(replace(request, **changes), catalog=catalog, report=silent)  # type: ignore[arg-type]


def test_every_scene_is_in_store_and_catalog_as_it_was_prepared(catalog: Catalog, tmp_path: Path) -> None:
    path = write_drives(tmp_path / "in", 3)
    found = taken(catalog, path)
    assert (found.sources, found.known, found.kept, found.added, found.refused) == (3, 0, 3, 3, ())
    scenarios = load_scenarios(str(tmp_path / "store"))
    assert scenarios.sizes == SMALL
    with catalog.transaction() as tx:
        page = scenarios_page(tx, "", PageRequest())
    assert [item.name for item in page.items] == ["drive-0", "drive-1", "drive-2"]
    for item in page.items:
        row = scenarios.rows_of([item.scenario_id])[0]
        assert scenarios.names[row] == f"womd/{item.name}/{item.name}"
        assert (item.session_id, item.agents, item.steps) == (f"womd/{item.name}", 4, 11)
        (source,) = traffic_scene(path / f"00{item.name[-1]}.json")
        expected = arrays_of(prepare(source, SMALL).scenario)
        for name, array in arrays_of(scenarios[row]).items():
            np.testing.assert_array_equal(array, expected[name])


def traffic_scene(path: Path) -> list:
    from al_platform.datasets.scenarios.formats import FORMATS  # noqa: PLC0415

    return [item.recording for item in FORMATS["womd-json"].read(path)]


def test_batches_are_stacked_scenarios_that_a_device_takes(catalog: Catalog, tmp_path: Path) -> None:
    taken(catalog, write_drives(tmp_path / "in", 5))
    scenarios = load_scenarios((tmp_path / "store").as_uri())
    batches = list(scenarios.batches(2))
    assert [batch.log.steps.shape for batch in batches] == [(2,), (2,), (1,)]
    assert isinstance(batches[0].log.states, np.memmap)
    mixed = scenarios.batch([4, 0, 2])
    for place, row in enumerate((4, 0, 2)):
        for name, array in arrays_of(scenarios[row]).items():
            np.testing.assert_array_equal(arrays_of(mixed)[name][place], array)
    on_device = jax.device_put(batches[0])
    np.testing.assert_array_equal(on_device.ground.distances, batches[0].ground.distances)
    assert arrays_of(scenario_of(arrays_of(mixed))).keys() == arrays_of(mixed).keys()


def test_running_again_changes_nothing_and_new_files_join(catalog: Catalog, tmp_path: Path) -> None:
    path = write_drives(tmp_path / "in", 2)
    taken(catalog, path)
    before = {file.name: file.stat().st_mtime_ns for file in (tmp_path / "store").iterdir()}
    again = taken(catalog, path)
    assert (again.known, again.kept, again.added) == (2, 2, 0)
    assert {file.name: file.stat().st_mtime_ns for file in (tmp_path / "store").iterdir()} == before
    write_drives(path, 3)
    joined = taken(catalog, path)
    assert (joined.known, joined.kept, joined.added) == (2, 3, 1)
    assert len(load_scenarios(str(tmp_path / "store"))) == 3


def test_a_lost_shard_is_written_again_on_demand(catalog: Catalog, tmp_path: Path) -> None:
    path = write_drives(tmp_path / "in", 2)
    taken(catalog, path)
    for file in (tmp_path / "store").iterdir():
        file.unlink()
    taken(catalog, path)
    with pytest.raises(NotFound, match="no scenarios"):
        load_scenarios(str(tmp_path / "store"))
    again = taken(catalog, path, again=True)
    assert (again.kept, again.added) == (2, 0)
    assert len(load_scenarios(str(tmp_path / "store"))) == 2


def test_the_same_scene_in_two_files_is_one_scenario(catalog: Catalog, tmp_path: Path) -> None:
    path = write_drives(tmp_path / "in", 1)
    write_json(path / "copy.json", womd_json() | {"scenario_id": "drive-0", "name": "copy"})
    found = taken(catalog, path)
    assert (found.sources, found.kept, found.added) == (2, 1, 1)
    assert len(load_scenarios(str(tmp_path / "store"))) == 1


def test_broken_files_are_named_and_the_others_kept(catalog: Catalog, tmp_path: Path) -> None:
    path = write_drives(tmp_path / "in", 3)
    (path / "001.json").write_text("{")
    write_json(path / "002.json", womd_json() | {"roads": []})
    found = taken(catalog, path)
    assert found.kept == 1
    assert [(part.origin, part.reason) for part in found.refused] == [
        (str(path / "001.json"), "not JSON"),
        (str(path / "002.json"), "no map"),
    ]
    assert taken(catalog, path).refused == found.refused


def test_what_cannot_be_prepared_is_refused_and_not_half_written(catalog: Catalog, tmp_path: Path) -> None:
    scene = womd_json()
    scene["roads"] = [road for road in scene["roads"] if road["type"] == "lane"]
    for road in scene["roads"]:
        road["map_element_id"] = 3  # bicycles only: nothing to drive on
    path = write_json(tmp_path / "in" / "a.json", scene)
    found = taken(catalog, path.parent)
    assert [part.reason for part in found.refused] == ["cannot be prepared"]
    assert not (tmp_path / "store").exists()


def test_processes_share_the_work_and_come_to_the_same(tmp_path: Path) -> None:
    path = write_drives(tmp_path / "in", 17)
    (path / "003.json").write_bytes(b"\0")
    ids = []
    for processes in (1, 2):
        catalog = Catalog.open(tmp_path / f"{processes}.duckdb")
        heard: list[Progress] = []
        request = IngestRequest("womd-json", path, tmp_path / f"store-{processes}", SMALL, processes)
        found = ingest_scenarios(request, catalog=catalog, report=heard.append)
        catalog.close()
        assert (found.kept, len(found.refused), heard[-1].done, heard[-1].total) == (16, 1, 17, 17)
        ids.append(sorted(load_scenarios(str(request.folder)).ids))
    assert ids[0] == ids[1]


def test_a_process_that_dies_costs_no_file(catalog: Catalog, tmp_path: Path) -> None:
    path = write_drives(tmp_path / "in", 33)
    killed: list[int] = []

    def kill_one(progress: Progress) -> None:
        children = multiprocessing.active_children()
        if children and not killed:
            killed.append(children[0].pid or 0)
            os.kill(killed[0], signal.SIGKILL)

    request = IngestRequest("womd-json", path, tmp_path / "store", SMALL, processes=2)
    found = ingest_scenarios(request, catalog=catalog, report=kill_one)
    assert killed
    assert (found.kept, found.refused) == (33, ())


DIES = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from al_platform.catalog.connection import Catalog
from al_platform.datasets.scenarios.ingest import IngestRequest, ingest_scenarios
from al_platform.domain.progress import silent
from sim.scenario import Sizes

class Mortal(Catalog):
    number = 0
    @contextmanager
    def transaction(self):
        self.number += 1
        with super().transaction() as tx:
            yield tx
            self.meet("before")
        self.meet("after")
    def meet(self, event):
        if (event, self.number) == (sys.argv[2], 2):  # the first only asks what is known
            os.kill(os.getpid(), signal.SIGKILL)

home = Path(sys.argv[1])
sizes = Sizes(**dict(zip(sys.argv[3::2], map(int, sys.argv[4::2]))))
request = IngestRequest("womd-json", home / "in", home / "store", sizes)
ingest_scenarios(request, catalog=Mortal.open(home / "catalog.duckdb"), report=silent)
"""


@pytest.mark.story
@pytest.mark.parametrize("event", ["before", "after"])
def test_an_ingest_that_is_killed_at_a_commit_goes_on_where_it_was(tmp_path: Path, event: str) -> None:
    path = write_drives(tmp_path / "in", 17)
    sizes = [str(part) for pair in asdict(SMALL).items() for part in pair]
    died = subprocess.run([sys.executable, "-c", DIES, str(tmp_path), event, *sizes], check=False)
    assert died.returncode == -signal.SIGKILL
    catalog = Catalog.open(tmp_path / "catalog.duckdb")
    found = taken(catalog, path)
    assert (found.kept, found.known) == (17, 0 if event == "before" else 16)
    scenarios = load_scenarios(str(tmp_path / "store"))
    with catalog.transaction() as tx:
        known = scenarios_matching(tx, "")["scenario_id"].to_pylist()
    catalog.close()
    assert len(known) == len(scenarios) == 17
    assert scenarios.rows_of(known)


def test_scenarios_are_filtered_by_what_they_hold(catalog: Catalog, tmp_path: Path) -> None:
    taken(catalog, write_drives(tmp_path / "in", 3))
    with catalog.transaction() as tx:
        assert count_scenarios(tx, "agents>=4,pedestrians=1") == (3, 3)
        assert count_scenarios(tx, "session_id=womd/drive-1|womd/drive-2") == (2, 2)
        assert count_scenarios(tx, "agents>4") == (0, 0)
        first = scenarios_page(tx, "", PageRequest(2))
        rest = scenarios_page(tx, "", PageRequest(2, first.after))
        assert [item.name for item in (*first.items, *rest.items)] == ["drive-0", "drive-1", "drive-2"]
        assert scenario_named(tx, first.items[0].scenario_id) == first.items[0]
        with pytest.raises(InvalidInput, match="no scenario carries it; known are scenario_id"):
            count_scenarios(tx, "weather=rain")
        with pytest.raises(NotFound, match="scenario scn_0: not in the catalog"):
            scenario_named(tx, "scn_0")


def test_a_path_where_nothing_is_is_refused(catalog: Catalog, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match="nothing is there"):
        taken(catalog, tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match="no file of the format womd-json"):
        taken(catalog, tmp_path / "empty")


def test_stores_that_cannot_be_opened_say_why(
    catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_drives(tmp_path / "in", 1)
    with pytest.raises(StorageUnavailable, match="nothing://store: Protocol not known"):
        load_scenarios("nothing://store")
    taken(catalog, path)
    taken(catalog, path, sizes=replace(SMALL, agents=6))
    folder = str(tmp_path / "store")
    with pytest.raises(InvalidInput, match="scenarios of several sizes"):
        load_scenarios(folder)
    assert load_scenarios(folder, sizes=SMALL)[0].log.kinds.shape == (8,)
    with pytest.raises(NotFound, match="no scenarios of"):
        load_scenarios(folder, sizes=Sizes())
    alone = tmp_path / "alone"
    taken(catalog, path, folder=alone, again=True)
    monkeypatch.setattr(store, "FORMULA", "scenario-0")
    with pytest.raises(StorageUnavailable, match="this platform reads scenario-0; ingest again"):
        load_scenarios(str(alone))
    assert json.loads(next(alone.glob("*.json")).read_bytes())["version"] == 1


def test_a_scenario_of_the_default_sizes_takes_at_most_a_megabyte_and_a_half(tmp_path: Path) -> None:
    (recording,) = traffic_scene(write_json(tmp_path / "a.json", traffic.womd_json()))
    assert sum(array.nbytes for array in arrays_of(prepare(recording).scenario).values()) <= 1.5e6
