"""Scenarios in the catalog: tags and facts to filter by, and one place for each."""

from dataclasses import replace

import pytest

from al_platform.catalog.connection import Catalog
from al_platform.catalog.scenarios import add_sources, count_scenarios, scenario_named, scenarios_page, sources_known
from al_platform.domain.paging import PageRequest
from al_platform.domain.scenarios import RefusedPart, ScenarioReference, ScenarioSource
from al_platform.errors import InvalidInput

ONE = ScenarioReference(
    scenario_id="scn_1",
    dataset="d",
    session_id="d/s",
    name="one",
    origin="file#0",
    source_id="src_1",
    steps=91,
    agents=40,
    vehicles=30,
    pedestrians=10,
    cyclists=0,
    lights=1,
    stop_signs=0,
    route_m=120.5,
    driven_m=80.25,
    shard="abc",
    shard_row=3,
    tags=("cut-in", "rain"),
    report={"agents dropped": 2, "route uncovered m": 1.5},
)
TWO = replace(ONE, scenario_id="scn_2", name="two", tags=(), agents=3)
SOURCE = ScenarioSource("src_1", "av2", "file", ("scn_1", "scn_2"), (RefusedPart("file#1", "no map", "none"),))


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    with catalog.transaction() as tx:
        assert add_sources(tx, [SOURCE], [ONE, TWO]) == 2
    return catalog


def test_what_was_entered_comes_back(filled: Catalog) -> None:
    with filled.transaction() as tx:
        assert scenario_named(tx, "scn_1") == ONE
        assert scenarios_page(tx, "", PageRequest()).items == (ONE, TWO)
        assert sources_known(tx, ["src_1", "src_2"]) == {"src_1": SOURCE}


def test_tags_and_facts_are_filtered_as_those_of_frames(filled: Catalog) -> None:
    with filled.transaction() as tx:
        assert count_scenarios(tx, "cut-in=1") == (1, 1)
        assert count_scenarios(tx, "cut-in!=1") == (1, 1)
        assert count_scenarios(tx, "rain>=1,agents>=10") == (1, 1)
        assert count_scenarios(tx, "route_m>=120.5,dataset=d|e") == (2, 1)
        with pytest.raises(InvalidInput, match="no scenario can be both"):
            count_scenarios(tx, "name=one,name=two")
        with pytest.raises(InvalidInput, match=r"known are .*driven_m, cut-in, rain"):
            count_scenarios(tx, "snow=1")


def test_entered_again_it_is_where_it_lies_now(filled: Catalog) -> None:
    moved = replace(ONE, shard="def", shard_row=0)
    with filled.transaction() as tx:
        assert add_sources(tx, [SOURCE], [moved]) == 0
        assert scenario_named(tx, "scn_1") == moved
        assert count_scenarios(tx, "") == (2, 1)
