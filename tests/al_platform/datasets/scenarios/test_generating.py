"""Generated scenes in the store: the same ones for the same seed, made once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from al_platform.catalog.connection import Catalog
from al_platform.catalog.scenarios import count_scenarios, scenarios_of_filter
from al_platform.datasets import load_scenarios
from al_platform.datasets.scenarios.generating import GenerateRequest, generate_scenarios
from al_platform.domain.progress import Progress, silent
from al_platform.errors import InvalidInput
from sim.generator import KINDS, scene
from sim.scenario import Sizes

SMALL = Sizes(agents=64, steps=16, route_points=256, lanes=4, stops=4, roads=256, tiles=16, grid=16, listed=16)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = Catalog.open(tmp_path / "catalog.duckdb")
    yield opened
    opened.close()


@pytest.fixture
def request_of_three(tmp_path: Path) -> GenerateRequest:
    return GenerateRequest(count=3, seed=0, folder=tmp_path / "store", sizes=SMALL)


def test_a_larger_count_adds_only_what_is_missing(catalog: Catalog, request_of_three: GenerateRequest) -> None:
    first = generate_scenarios(request_of_three, catalog=catalog, report=silent)
    assert (first.sources, first.known, first.kept, first.added, first.refused) == (3, 0, 3, 3, ())
    heard: list[Progress] = []
    more = generate_scenarios(replace(request_of_three, count=5), catalog=catalog, report=heard.append)
    assert (more.sources, more.known, more.kept, more.added) == (5, 3, 5, 2)
    assert [(each.stage, each.done, each.total) for each in heard] == [("generate", 3, 5), ("generate", 5, 5)]
    assert generate_scenarios(request_of_three, catalog=catalog, report=silent).added == 0
    assert len(load_scenarios(str(request_of_three.folder))) == 5


def test_the_same_seed_gives_the_same_ids_by_any_number_of_processes(
    catalog: Catalog, request_of_three: GenerateRequest, tmp_path: Path
) -> None:
    generate_scenarios(request_of_three, catalog=catalog, report=silent)
    other = Catalog.open(tmp_path / "other.duckdb")
    again = replace(request_of_three, count=17, folder=tmp_path / "other", processes=2)
    generate_scenarios(again, catalog=other, report=silent)
    with catalog.transaction() as here, other.transaction() as there:
        ids = {each.origin: each.scenario_id for each in scenarios_of_filter(there, "")}
        mine = scenarios_of_filter(here, "")
        assert len(set(ids.values())) == 17
        assert [each.scenario_id for each in mine] == [ids[each.origin] for each in mine]
    other.close()


def test_scenes_are_filtered_by_their_road_and_their_situation(
    catalog: Catalog, request_of_three: GenerateRequest
) -> None:
    generate_scenarios(request_of_three, catalog=catalog, report=silent)
    recordings = [scene(0, number) for number in range(3)]
    hard = [recording.tags for recording in recordings if len(recording.tags) > 1]
    assert hard
    with catalog.transaction() as tx:
        found = {each.name: each for each in scenarios_of_filter(tx, "")}
        assert count_scenarios(tx, f"{hard[0][1]}=1") == (1, 1)
    for number, recording in enumerate(recordings):
        reference = found[f"0/{number}"]
        assert reference.tags == recording.tags
        assert reference.tags[0] in KINDS
        assert (reference.dataset, reference.origin) == ("generated", f"generated/0/{number}")


@pytest.mark.parametrize(("count", "seed", "message"), [(0, 0, "count 0: must be"), (1, -1, "seed -1: must not")])
def test_what_cannot_be_made_is_refused(
    catalog: Catalog, request_of_three: GenerateRequest, count: int, seed: int, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        generate_scenarios(replace(request_of_three, count=count, seed=seed), catalog=catalog, report=silent)
