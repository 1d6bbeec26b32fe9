"""The job of a training that holds some sessions out: what it learns from, what it is measured on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from al_platform.catalog.datasets import add_version
from al_platform.domain.datasets import DatasetItem
from al_platform.domain.policies import CloningRecipe, PolicySpec
from al_platform.domain.policy_requests import PolicyRequest
from al_platform.domain.rounds import CurriculumShare
from al_platform.errors import InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.loop.policies import policy_job
from al_platform.platform.home import open_platform
from al_platform.platform.rounds import loop_context
from al_platform.policies.scenes import WantedScenes, read_wanted
from tests.fleet import settings_of
from tests.scenes import enter_references

SCENES = tuple(f"scn_{number}" for number in range(12))
"""Of four sessions, three of each."""
HARD = ("scn_1",)
SPEC = PolicySpec(cloning=CloningRecipe())


@pytest.fixture
def context(tmp_path: Path) -> Iterator[LoopContext]:
    with open_platform(settings_of(tmp_path / "home")) as platform:
        enter_references(platform, SCENES, hard=HARD)
        yield loop_context(platform)


def asked(context: LoopContext, share: float, curriculum: tuple[CurriculumShare, ...] = ()) -> PolicyRequest:
    with context.catalog.transaction() as tx:
        items = [DatasetItem(name, "") for name in SCENES]
        made = add_version(
            tx,
            context.blobs,
            parent_id=None,
            additions=items,
            purpose="train",
            round_id=None,
            now="2026-11-21 12:00:00",
        )
    return PolicyRequest(SPEC, made.version_id, held_out_share=share, curriculum=curriculum)


def lists_of(context: LoopContext, request: PolicyRequest) -> tuple[WantedScenes, WantedScenes | None]:
    """The scenarios that a job learns from, and those that it is measured on."""
    job = policy_job(context, request)
    held_out = None if job.held_out_hash is None else read_wanted(context.blobs, job.held_out_hash)
    return read_wanted(context.blobs, job.scenes_hash), held_out


def test_a_training_learns_from_some_sessions_and_is_measured_on_the_others(context: LoopContext) -> None:
    learned, held_out = lists_of(context, asked(context, 0.5))
    assert held_out is not None
    assert set(learned.ids) | set(held_out.ids) == set(SCENES)
    sessions = [{int(name[4:]) % 4 for name in each.ids} for each in (learned, held_out)]
    assert sessions[0].isdisjoint(sessions[1])
    assert [len(each.ids) for each in (learned, held_out)] == [3 * len(each) for each in sessions]


def test_without_a_share_everything_teaches(context: LoopContext) -> None:
    learned, held_out = lists_of(context, asked(context, 0.0))
    assert (set(learned.ids), held_out) == (set(SCENES), None)


def test_a_curriculum_weighs_what_is_learned_from_alone(context: LoopContext) -> None:
    learned, held_out = lists_of(
        context, asked(context, 0.5, (CurriculumShare("", 1.0), CurriculumShare("hard=1", 1.0)))
    )
    assert held_out is not None
    assert len(learned.ids) == 6
    assert dict(zip(learned.ids, learned.weights, strict=True)) == pytest.approx(
        {name: 3.5 if name in HARD else 0.5 for name in learned.ids}
    )
    assert set(held_out.weights) == {1.0}


def test_held_out_scenarios_of_two_origins_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"held out 0\.1 of the sessions: given beside dsv_2; give one"):
        PolicyRequest(SPEC, "dsv_1", "dsv_2", held_out_share=0.1)
