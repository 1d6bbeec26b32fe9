"""Trainings asked of the service: one policy however often they are asked for, told when they fail, gone on with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from al_platform.catalog.operations import save_operation
from al_platform.datasets.scenarios.store import layout_of
from al_platform.domain.access import Actor, Scope
from al_platform.domain.clock import utc_now
from al_platform.domain.operations import Operation, OperationState, TrainingWish
from al_platform.errors import Conflict, IdempotencyMismatch, InvalidInput, NotFound
from al_platform.loop.policies import policy_id_of, policy_job
from al_platform.platform.home import Platform, open_platform
from al_platform.platform.policies import policies
from al_platform.platform.rounds import loop_context
from al_platform.platform.service import Service, idle_service
from al_platform.platform.taking_on import operations_under_way, take_on_operations
from al_platform.platform.trainings import WantedPolicy, ask_for_policy, stop_training, training_status
from al_platform.storage.arrays import write_shard
from tests.al_platform.policies.lanes import CLONED, PRACTISED, ids, records
from tests.fleet import contents, settings_of
from tests.scenes import enter_references
from tests.sim.learning.scenes import SIZES

SOMEBODY = Actor("somebody", Scope.OPERATOR)
WANTED = WantedPolicy(CLONED, on="session_id!=lanes/3", seed=7)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """A home that knows eight scenes and has lost them."""
    with open_platform(settings_of(tmp_path / "home")) as opened:
        enter_references(opened, ids())
        yield opened


@pytest.fixture
def service(platform: Platform) -> Service:
    return idle_service(platform)


def find_scenes(platform: Platform) -> None:
    write_shard(platform.settings.scenarios_folder, records(), layout=layout_of(SIZES))


def test_a_training_fails_with_its_reason_and_asked_for_again_it_is_the_same_policy(service: Service) -> None:
    policy_id = ask_for_policy(service, WANTED, actor=SOMEBODY, key="a")[0].operation_id
    take_on_operations(service)
    failed = training_status(service, policy_id)
    assert failed.state is OperationState.FAILED
    assert "ingest or generate it again" in failed.message
    assert ask_for_policy(service, WANTED, actor=SOMEBODY, key="a") == (failed, True)
    with pytest.raises(IdempotencyMismatch, match="came before with another request"):
        ask_for_policy(service, WantedPolicy(PRACTISED), actor=SOMEBODY, key="a")
    find_scenes(service.platform)
    take_on_operations(service)
    assert training_status(service, policy_id) == failed
    done, replayed = ask_for_policy(service, WANTED, actor=SOMEBODY, key="b")
    assert (done.state, done.operation_id, replayed) == (OperationState.DONE, policy_id, False)
    assert done.result is not None
    assert (done.result.seed, done.result.spec, done.result.parent_id) == (7, CLONED, None)
    assert [each.policy_id for each in policies(service.platform)] == [policy_id]
    rows = contents(service.platform)
    assert ask_for_policy(service, WANTED, actor=SOMEBODY, key="b") == (done, True)
    assert contents(service.platform) == rows
    assert [row["action"] for row in rows["audit_log"]] == ["training.asked"] * 2


def test_what_was_asked_for_is_taken_on_after_a_restart_and_can_be_stopped(platform: Platform) -> None:
    request = WANTED.request(platform)
    policy_id = policy_id_of(request, policy_job(loop_context(platform), request))
    restarted = idle_service(platform)
    with platform.catalog.transaction() as tx:
        save_operation(tx, Operation(policy_id, TrainingWish(request), "somebody", utc_now()))
    ((waiting, _),) = operations_under_way(restarted)
    assert waiting.wish == TrainingWish(request)
    with pytest.raises(Conflict, match="is about to begin"):
        stop_training(restarted, policy_id, actor=SOMEBODY)
    for _ in range(2):  # begun, then found failed
        take_on_operations(restarted)
    failed = training_status(restarted, policy_id)
    assert "ingest or generate it again" in failed.message
    with pytest.raises(Conflict, match=r"is failed .* nothing is left to stop"):
        stop_training(restarted, policy_id, actor=SOMEBODY)


def test_what_cannot_be_trained_is_refused_before_anything_is_kept(service: Service) -> None:
    for wanted, error, said in (
        (WantedPolicy(CLONED, parent_id="pol_0"), NotFound, "policy pol_0: not in the catalog"),
        (WantedPolicy(CLONED, on="dsv_0"), NotFound, "dataset version dsv_0: not in the catalog"),
        (WantedPolicy(CLONED, on="dataset=none"), InvalidInput, "no scenario matches"),
        (WantedPolicy(CLONED, held_out="session_id=lanes/1"), InvalidInput, "to learn from and held out; split them"),
    ):
        with pytest.raises(error, match=said):
            ask_for_policy(service, wanted, actor=SOMEBODY, key="c")
    assert not contents(service.platform)["operations"]
    with pytest.raises(NotFound, match="pol_0"):
        training_status(service, "pol_0")
    with pytest.raises(NotFound, match="pol_0"):
        stop_training(service, "pol_0", actor=SOMEBODY)
