"""Scenarios in the catalog: tags and facts to filter by, and one place for each."""

from dataclasses import replace

import pyarrow as pa
import pytest

from acquisition import NO_GROUP
from al_platform.catalog.check import faults_of
from al_platform.catalog.connection import Catalog
from al_platform.catalog.datasets import freeze_pool, pool_manifest, pool_rows, pool_table
from al_platform.catalog.scenarios import (
    add_sources,
    count_scenarios,
    scenario_groups,
    scenario_named,
    scenarios_in_pool,
    scenarios_named,
    scenarios_page,
    sources_known,
)
from al_platform.domain.paging import PageRequest
from al_platform.domain.progress import silent
from al_platform.domain.scenarios import RefusedPart, ScenarioReference, ScenarioSource
from al_platform.errors import InvalidInput, NotFound
from al_platform.storage.blobs import BlobStore

NOW = "2026-11-21 09:00:00"
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


def test_a_pool_lists_scenarios_by_session_and_keeps_where_none_lies(filled: Catalog, blobs: BlobStore) -> None:
    other = replace(ONE, scenario_id="scn_0", session_id="d/a", name="it's", source_id="src_0")
    with filled.transaction() as tx:
        add_sources(tx, [replace(SOURCE, source_id="src_0", scenarios=("scn_0",))], [other])
        pool_id, rows = freeze_pool(tx, blobs, "dataset=d", now=NOW, matching=scenarios_in_pool)
        assert rows.column_names == ["item_id", "session_id", "session", "timestamp_s"]
        assert rows["item_id"].to_pylist() == ["scn_0", "scn_1", "scn_2"]
        assert rows["session"].to_pylist() == [0, 1, 1]
        assert rows["timestamp_s"].null_count == 3
        assert pool_table(tx, blobs, pool_id).equals(rows)
        assert pool_rows(tx, blobs, pool_id) == pool_manifest(tx, pool_id)
        assert list(faults_of(tx, blobs, silent)) == []
        add_sources(tx, [], [replace(ONE, shard="elsewhere")])
        assert freeze_pool(tx, blobs, "dataset=d", now=NOW, matching=scenarios_in_pool)[0] == pool_id


def test_scenarios_are_grouped_by_whether_they_carry_a_tag(filled: Catalog) -> None:
    ids = pa.chunked_array([["scn_2", "scn_1", "scn_unknown"]])
    with filled.transaction() as tx:
        assert scenario_groups(tx, "rain", ids).tolist() == [NO_GROUP, 0, NO_GROUP]
        with pytest.raises(InvalidInput, match="tag 'snow': no scenario carries it; known are cut-in, rain"):
            scenario_groups(tx, "snow", ids)


def test_scenarios_come_in_the_order_asked_for(filled: Catalog) -> None:
    with filled.transaction() as tx:
        assert list(scenarios_named(tx, ["scn_2", "scn_1"]).values()) == [TWO, ONE]
        with pytest.raises(NotFound, match="scenario scn_9: not in the catalog"):
            scenarios_named(tx, ["scn_1", "scn_9"])
