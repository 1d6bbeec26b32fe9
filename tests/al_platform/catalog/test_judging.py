"""Suites, evaluations and licences in the catalog: each kept once, ranked, and found by what they came from."""

from dataclasses import replace

import pytest

from al_platform.catalog.connection import Catalog
from al_platform.catalog.datasets import add_version
from al_platform.catalog.judging import (
    add_evaluation,
    add_licence,
    add_licence_spec,
    add_suite,
    better_evaluations,
    evaluation_named,
    evaluations_page,
    find_licence,
    find_licence_spec,
    licences_held,
    licences_page,
    suite_named,
    suites_page,
)
from al_platform.catalog.lineage import lineage_of
from al_platform.catalog.policies import add_policy
from al_platform.catalog.scenarios import add_sources
from al_platform.catalog.uses import uses_of
from al_platform.domain.datasets import DatasetItem
from al_platform.domain.holding_out import held_out_among
from al_platform.domain.judging import EXPERT, Estimate, Evaluation, JudgeSpec, Suite, SuiteScenario
from al_platform.domain.licences import Licence, LicenceSpec
from al_platform.domain.lineage import Parent, Use
from al_platform.domain.paging import PageRequest
from al_platform.domain.policies import CloningRecipe, PolicySpec, PolicyVersion
from al_platform.errors import InvalidInput, NotFound
from al_platform.storage.blobs import BlobStore
from al_platform.storage.suites import write_scenarios
from tests.al_platform.catalog.test_scenarios import ONE, SOURCE, TWO

NOW = "2026-01-31 12:00:00.000000"
LATER = "2026-02-01 12:00:00.000000"
JUDGED = JudgeSpec()


def evaluation(number: int, *, failure: float, progress: float | None = 1.0, policy: str = "") -> Evaluation:
    means = {"failure": failure, **({} if progress is None else {"progress_ratio": progress})}
    measures = {name: Estimate(mean, mean, mean, 2) for name, mean in means.items()}
    policy = policy or f"pol_{number}"
    return Evaluation(f"evl_{number}", policy, "sui_1", JUDGED, "results", measures, (), (failure,), 2.5, {"jax": "0"})


def test_a_suite_is_found_by_name_and_by_id(catalog: Catalog) -> None:
    suites = [Suite(f"sui_{number}", name, "", 2, "list") for number, name in enumerate(("night", "day"))]
    with catalog.transaction() as tx:
        for suite in suites:
            add_suite(tx, suite, now=NOW)
        assert suite_named(tx, "night") == suite_named(tx, "sui_0") == suites[0]
        assert suites_page(tx, PageRequest()).items == (suites[1], suites[0])
        with pytest.raises(NotFound, match="suite 'dusk': not in the catalog"):
            suite_named(tx, "dusk")


def test_policies_are_ranked_by_failures_then_by_progress_page_by_page(catalog: Catalog) -> None:
    ranked = [
        evaluation(4, failure=0.1, progress=1.2),
        evaluation(3, failure=0.1, progress=0.9),
        evaluation(2, failure=0.1, progress=None),
        evaluation(1, failure=0.3, progress=2.0),
    ]
    with catalog.transaction() as tx:
        for each in reversed(ranked):
            add_evaluation(tx, each, now=NOW)
        add_evaluation(tx, replace(ranked[0], evaluation_id="evl_5", suite_id="sui_2"), now=NOW)
        add_evaluation(tx, replace(ranked[0], evaluation_id="evl_6", spec=JudgeSpec(reactive=True)), now=NOW)
        first = evaluations_page(tx, "sui_1", JUDGED, PageRequest(3))
        rest = evaluations_page(tx, "sui_1", JUDGED, PageRequest(3, first.after))
        assert (*first.items, *rest.items) == tuple(ranked)
        assert rest.after is None
        assert [better_evaluations(tx, each) for each in ranked] == [0, 1, 2, 3]


def test_what_was_decided_once_stays(catalog: Catalog) -> None:
    spec = LicenceSpec("town", "sui_1", {"failure": 0.1})
    refused = Licence("lic_1", "pol_1", "evl_1", spec, issued=False, checks=())
    issued = replace(refused, licence_id="lic_2", spec=replace(spec, name="village"), issued=True)
    with catalog.transaction() as tx:
        for each in (refused, issued, replace(refused, issued=True)):
            add_licence_spec(tx, each.spec, now=NOW)
            add_licence(tx, each, now=LATER)
        with pytest.raises(InvalidInput, match="licence 'town': asks for something else"):
            add_licence_spec(tx, replace(spec, at_most={"failure": 0.9}), now=LATER)
        assert find_licence(tx, "lic_1") == refused
        assert find_licence_spec(tx, "town") == spec
        assert licences_page(tx, "", PageRequest()).items == (refused, issued)
        assert licences_page(tx, "pol_2", PageRequest()).items == ()
        assert licences_held(tx, "pol_1") == ("village",)
        assert find_licence(tx, "lic_3") is None
        with pytest.raises(NotFound, match="evaluation evl_0: not in the catalog"):
            evaluation_named(tx, "evl_0")


@pytest.fixture
def judged(catalog: Catalog, blobs: BlobStore) -> dict[str, str]:
    """A policy cloned from one scenario, judged on another, and the licence that it got."""
    scenarios = [SuiteScenario("scn_2", "d/s", "two", "d")]
    suite = Suite("sui_1", "night", "agents=3", 1, write_scenarios(blobs, scenarios))
    spec = PolicySpec("xs", cloning=CloningRecipe())
    licence = Licence("lic_1", "pol_1", "evl_1", LicenceSpec("town", "sui_1", {"failure": 0.1}), True, ())
    with catalog.transaction() as tx:
        add_sources(tx, [SOURCE], [ONE, TWO])
        items = [DatasetItem("scn_1", "")]
        version = add_version(
            tx, blobs, parent_id=None, additions=items, purpose="start", round_id=None, now=NOW
        ).version_id
        add_policy(tx, PolicyVersion("pol_1", spec, version, None, 7, "weights", "curve"), now=NOW)
        add_suite(tx, suite, now=NOW)
        add_evaluation(tx, evaluation(1, failure=0.0), now=NOW)
        add_evaluation(tx, evaluation(2, failure=0.0, policy=EXPERT), now=NOW)
        add_licence(tx, licence, now=NOW)
    return {"version": version, "list": suite.scenarios_hash}


def test_a_licence_leads_to_the_policy_its_data_the_suite_and_all_scenarios(
    catalog: Catalog, blobs: BlobStore, judged: dict[str, str]
) -> None:
    with catalog.transaction() as tx:
        found = lineage_of(tx, blobs, "lic_1")
    assert found["lic_1"].parents == (Parent("decided by", "evl_1"),)
    assert found["evl_1"].parents == (Parent("of", "pol_1"), Parent("on", "sui_1"), Parent("results", "results"))
    assert set(found["pol_1"].parents) == {Parent("trained on", judged["version"]), Parent("weights", "weights")}
    assert found["pol_1"].summary.startswith("1 x xs, cloned, seed 7")
    assert found["sui_1"].parents == (Parent("content", judged["list"]), Parent("scenario", "scn_2"))
    assert Parent("item", "scn_1") in found[judged["version"]].parents
    assert found["scn_2"].parents == (Parent("read from", "src_1"),)
    assert (found["src_1"].kind, found["src_1"].summary) == ("file", "av2, file")
    assert list(found) == list(dict.fromkeys(found))


def test_the_expert_has_no_parents_and_a_policy_may(catalog: Catalog, blobs: BlobStore, judged: dict[str, str]) -> None:
    practised = PolicyVersion("pol_2", PolicySpec(cloning=CloningRecipe()), judged["version"], "pol_1", 0, "w", "c")
    with catalog.transaction() as tx:
        add_policy(tx, practised, now=NOW)
        assert Parent("went on from", "pol_1") in lineage_of(tx, blobs, "pol_2")["pol_2"].parents
        expert = lineage_of(tx, blobs, "evl_2")["evl_2"]
    assert expert.parents == (Parent("on", "sui_1"), Parent("results", "results"))
    assert expert.summary.startswith("of the expert")


def test_a_scenario_tells_what_it_taught_and_what_it_judged(
    catalog: Catalog, blobs: BlobStore, judged: dict[str, str]
) -> None:
    with catalog.transaction() as tx:
        assert uses_of(tx, blobs, "scn_1") == [Use("part of", judged["version"]), Use("taught", "pol_1")]
        assert uses_of(tx, blobs, "scn_2") == [
            Use("part of", "sui_1"),
            Use("judged in", "evl_1"),
            Use("judged in", "evl_2"),
        ]
        assert uses_of(tx, blobs, "frm_1") == []


def test_a_scenario_that_a_training_held_out_taught_nothing(catalog: Catalog, blobs: BlobStore) -> None:
    scenes = {number: replace(ONE, scenario_id=f"scn_{number}", session_id=f"d/{number}") for number in range(20)}
    with catalog.transaction() as tx:
        add_sources(tx, [SOURCE], list(scenes.values()))
        items = [DatasetItem(scene.scenario_id, "") for scene in scenes.values()]
        version = add_version(tx, blobs, parent_id=None, additions=items, purpose="start", round_id=None, now=NOW)
        spec = PolicySpec("xs", cloning=CloningRecipe())
        policy = PolicyVersion("pol_1", spec, version.version_id, None, 7, "weights", "curve", held_out_share=0.5)
        add_policy(tx, policy, now=NOW)
        uses = {scene.scenario_id: uses_of(tx, blobs, scene.scenario_id)[-1] for scene in scenes.values()}
    apart = held_out_among({scene.scenario_id: scene.session_id for scene in scenes.values()}, 0.5)
    assert 0 < len(apart) < len(scenes)
    assert uses == {name: Use("measured" if name in apart else "taught", "pol_1") for name in uses}
