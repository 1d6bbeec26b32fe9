from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from al_platform.catalog.datasets import add_version
from al_platform.datasets.scenarios.store import layout_of
from al_platform.domain.clock import utc_now
from al_platform.domain.datasets import DatasetItem
from al_platform.domain.jobs import Cost
from al_platform.domain.policy_requests import PolicyRequest
from al_platform.domain.progress import Progress
from al_platform.domain.records import record_from_json
from al_platform.domain.rounds import CurriculumShare
from al_platform.errors import InvalidInput, NotFound
from al_platform.platform.home import Platform, open_platform
from al_platform.platform.policies import curve_of, policies, policy, scenario_version, train_policy
from al_platform.policies.job import read_policy_job
from al_platform.policies.scenes import WantedScenes
from al_platform.storage.arrays import write_shard
from al_platform.storage.files import NamedFiles
from tests.al_platform.policies.lanes import CLONED, PRACTISED, ids, records
from tests.fleet import settings_of
from tests.scenes import enter_references, keep_drivers, untrained
from tests.sim.learning.scenes import SIZES

pytestmark = pytest.mark.long


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Platform]:
    """A home with eight scenes, two of them hard."""
    settings = settings_of(tmp_path / "home")
    with open_platform(settings) as platform:
        write_shard(settings.scenarios_folder, records(), layout=layout_of(SIZES))
        enter_references(platform, ids(), hard=ids()[:2])
        yield platform


def request_of(home: Platform, **changes: object) -> PolicyRequest:
    plain = PolicyRequest(CLONED, scenario_version(home, "session_id!=lanes/3").version_id)
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_a_policy_is_trained_once_and_tells_where_it_came_from(home: Platform) -> None:
    asked, seen = request_of(home), list[Progress]()
    clone = train_policy(home, asked)
    assert train_policy(replace(home, report=seen.append), asked) == clone
    assert seen == []
    assert clone.parent_id is None
    assert isinstance(clone.cost, Cost)
    assert clone.environment["jax"]
    practised = train_policy(home, replace(asked, spec=PRACTISED, parent_id=clone.policy_id))
    assert practised.parent_id == clone.policy_id
    assert [each.policy_id for each in policies(home)] == [clone.policy_id, practised.policy_id]
    assert curve_of(home, practised.policy_id).points[-1].step == 6
    assert policy(home, clone.policy_id) == clone


def test_hard_scenes_are_drawn_as_often_as_their_share_says_and_old_ones_keep_theirs(home: Platform) -> None:
    shares = (CurriculumShare("hard=1", 3.0), CurriculumShare("", 1.0))
    made = train_policy(home, request_of(home, curriculum=shares))
    names = NamedFiles(home.settings.storage_url)
    assert made.policy_id != train_policy(home, request_of(home)).policy_id
    folders = [path.name for path in (Path(home.settings.storage_url) / "policies").iterdir()]
    weights = {}
    for folder in folders:
        job = read_policy_job(names, f"policies/{folder}/job.json")
        wanted = record_from_json(WantedScenes, home.blobs.get(job.scenes_hash).decode())
        weights[len(set(wanted.weights))] = dict(zip(wanted.ids, wanted.weights, strict=True))
    hard = {record.record_id for record in records()[:2]}
    assert set(weights) == {1, 2}
    total = sum(weights[2].values())
    assert sum(weights[2][each] for each in hard) / total == pytest.approx(3 / 4 + 1 / 4 * 2 / 6)
    assert np.mean(list(weights[2].values())) == pytest.approx(1.0)


def test_what_cannot_be_trained_is_refused_before_anything_is_computed(home: Platform) -> None:
    plain = request_of(home)
    with pytest.raises(InvalidInput, match="to learn from and held out; split them"):
        train_policy(home, replace(plain, held_out_version_id=plain.dataset_version_id))
    with pytest.raises(InvalidInput, match="matches none of the 6 items of dsv_"):
        train_policy(home, replace(plain, curriculum=(CurriculumShare("session_id=lanes/3", 1.0),)))
    with pytest.raises(InvalidInput, match="leaves nothing of dsv_"):
        train_policy(home, replace(plain, curriculum=(CurriculumShare("", 0.0),)))
    with pytest.raises(InvalidInput, match="network 'xxl': must be one of xs, s, m, l"):
        train_policy(home, replace(plain, spec=replace(CLONED, network="xxl")))
    with pytest.raises(NotFound, match="policy pol_0: not in the catalog"):
        train_policy(home, replace(plain, parent_id="pol_0"))
    other = keep_drivers(home, untrained(3))
    with pytest.raises(InvalidInput, match="parent pol_untrained: has members 3 and the recipe 1; give both the same"):
        train_policy(home, replace(plain, parent_id=other))
    with home.catalog.transaction() as tx:
        items = [DatasetItem("frm_1", ""), DatasetItem(records()[0].record_id, "")]
        frames = add_version(
            tx, home.blobs, parent_id=None, additions=items, purpose="start", round_id=None, now=utc_now()
        )
    with pytest.raises(InvalidInput, match="frm_1 and 0 more of its 2 items are no scenarios"):
        train_policy(home, replace(plain, dataset_version_id=frames.version_id))
    with pytest.raises(InvalidInput, match="no scenario matches"):
        scenario_version(home, "dataset=none")
    with pytest.raises(InvalidInput, match="seed -1"):
        request_of(home, seed=-1)
