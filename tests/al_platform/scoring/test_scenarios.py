"""A scorer of scenarios: resumable, the same bytes however it is disturbed, and never silent about broken weights."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from al_platform.datasets.scenarios.store import open_layouts
from al_platform.domain.driving import PolicyModel
from al_platform.domain.judging import SuiteScenario
from al_platform.domain.progress import Progress, silent
from al_platform.domain.scores import ScoringJob, Share
from al_platform.errors import NonFiniteScore
from al_platform.loop.kinds import SCENARIO_ITEMS
from al_platform.platform.home import Platform
from al_platform.policies.stored import Drivers
from al_platform.scoring.drives import measures_of
from al_platform.scoring.job import make_job
from al_platform.scoring.markers import finished_markers
from al_platform.scoring.measures import MEASURES
from al_platform.scoring.place import ScoringPlace
from al_platform.scoring.read import dense_scores
from al_platform.scoring.scenarios import scene_batch
from al_platform.scoring.shown import drives_showing
from al_platform.scoring.worker import run_scorer
from al_platform.storage.pools import write_pool
from al_platform.storage.records import RecordCaches
from tests.scenes import home_with_scenes, keep_drivers, untrained

SCENES = 5
MODEL = PolicyModel("", tags=("jaywalker",))


class Died(BaseException):
    """What a killed process leaves looks alike: files are written whole or not at all."""


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with home_with_scenes(tmp_path_factory.mktemp("home"), scenes=SCENES) as opened:
        yield opened


def job_of(platform: Platform, drivers: Drivers, *, shard: int, policy_id: str) -> ScoringJob:
    keep_drivers(platform, drivers, policy_id)
    with platform.catalog.transaction() as tx:
        pool = SCENARIO_ITEMS.matching(tx, "")
        weights = SCENARIO_ITEMS.weights_of(tx, policy_id)
    return make_job(
        MODEL,
        weights_hash=weights,
        pool_manifest_hash=write_pool(platform.blobs, pool),
        frames=pool.num_rows,
        frames_per_shard=shard,
    )


def place_of(platform: Platform, folder: Path) -> ScoringPlace:
    return ScoringPlace(platform.blobs, RecordCaches(folder), str(platform.settings.scenarios_folder))


def test_a_scorer_that_died_is_gone_on_with_and_leaves_the_same_bytes(platform: Platform, tmp_path: Path) -> None:
    job, place = job_of(platform, untrained(), shard=2, policy_id="pol_a"), place_of(platform, tmp_path)

    def die_after_two_shards(progress: Progress) -> None:
        if progress.done > 4:
            raise Died

    with pytest.raises(Died):
        run_scorer(place, job, share=Share(), report=die_after_two_shards)
    kept = finished_markers(place.files, job)
    assert 0 < len(kept) < job.shards
    run_scorer(place, job, share=Share(), report=silent)
    markers = finished_markers(place.files, job)
    assert {shard: markers[shard] for shard in kept} == kept
    other = job_of(platform, untrained(), shard=SCENES, policy_id="pol_a")
    run_scorer(place, other, share=Share(), report=silent)
    parts = (
        dense_scores(place.files, each, finished_markers(place.files, each).values(), MODEL.classes).measures
        for each in (job, other)
    )
    resumed, undisturbed = parts
    for name in MEASURES:
        np.testing.assert_array_equal(getattr(resumed, name), getattr(undisturbed, name), err_msg=name)


def test_weights_that_are_no_numbers_stop_the_scorer_at_a_scenario(platform: Platform, tmp_path: Path) -> None:
    drivers = untrained()
    torn = replace(drivers, parameters=jax.tree.map(lambda leaf: leaf.at[1].set(jnp.nan), drivers.parameters))
    job = job_of(platform, torn, shard=SCENES, policy_id="pol_torn")
    with pytest.raises(NonFiniteScore, match=r"of scenario scn_[0-9a-f]{24} for .* is nan: .*nothing was selected"):
        run_scorer(place_of(platform, tmp_path), job, share=Share(), report=silent)


def test_one_driver_thrice_disagrees_about_nothing_and_order_is_irrelevant(platform: Platform) -> None:
    (store,), _ = open_layouts(platform.settings.scenarios_folder)
    batch = scene_batch(store, store.ids, MODEL.tags, size=16)
    drivers = untrained()
    alone = jax.tree.map(lambda leaf: jnp.stack([leaf[0]] * 3), drivers.parameters)
    same = measures_of(replace(drivers, parameters=alone), MODEL, batch)
    informative = [column for column, name in enumerate(MODEL.classes) if name != "surprise"]
    assert np.abs(same.mi_sum[:, informative]).max() < 1e-3
    turned = jax.tree.map(lambda leaf: leaf[jnp.asarray([2, 0, 1])], drivers.parameters)
    one = measures_of(drivers, MODEL, batch)
    other = measures_of(replace(drivers, parameters=turned), MODEL, batch)
    for name in MEASURES:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-4, atol=1e-4, err_msg=name)
    untagged = [row for row in range(SCENES) if "jaywalker" not in store.tags[row]]
    assert not one.mi_sum[untagged, -1].any()


def test_drawn_drives_do_not_depend_on_the_batch(platform: Platform) -> None:
    (store,), _ = open_layouts(platform.settings.scenarios_folder)
    drawn, drivers = replace(MODEL, drives=2), untrained()
    forward = measures_of(drivers, drawn, scene_batch(store, store.ids, MODEL.tags, size=16))
    back = measures_of(drivers, drawn, scene_batch(store, store.ids[::-1], MODEL.tags, size=16))
    for name in MEASURES:
        np.testing.assert_allclose(
            getattr(forward, name)[:SCENES], getattr(back, name)[:SCENES][::-1], rtol=1e-5, atol=1e-6, err_msg=name
        )


def test_an_event_that_scores_tell_of_is_shown_by_one_of_the_drawn_drives_and_no_other(platform: Platform) -> None:
    (store,), _ = open_layouts(platform.settings.scenarios_folder)
    model, drivers = replace(MODEL, drives=2), untrained()
    told = measures_of(drivers, model, scene_batch(store, store.ids, MODEL.tags, size=16)).mass_sum
    scenes = [SuiteScenario(name, name, name, "generated") for name in store.ids]
    for event in ("off_route", "collision"):
        shown = drives_showing(drivers, model, store, dict.fromkeys(scenes, event))
        likely = told[:SCENES, model.classes.index(event)]
        assert shown.keys() == {name for name, mass in zip(store.ids, likely, strict=True) if mass > 0.0}
        assert all(event in drive.driven.events for drive in shown.values())
    assert (told[:SCENES, model.classes.index("off_route")] > 0.0).any()
