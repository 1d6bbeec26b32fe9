"""What is asked of the service lies in the catalog: it is told when it fails, and goes on after a restart."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from al_platform.catalog.operations import find_operation, save_operation
from al_platform.domain.access import Actor, Scope
from al_platform.domain.clock import utc_now
from al_platform.domain.judging import EXPERT, JudgeSpec
from al_platform.domain.licences import LicenceSpec
from al_platform.domain.operations import EvaluationWish, Operation, OperationState
from al_platform.platform.home import Platform, open_platform
from al_platform.platform.judgements import (
    ask_for_comparison,
    ask_for_evaluation,
    ask_for_licence,
    comparison_status,
    evaluation_status,
    licence_status,
)
from al_platform.platform.judging import evaluation_job
from al_platform.platform.service import Service, idle_service
from al_platform.platform.taking_on import operations_under_way, take_on_operations
from tests.as_if_judged import CLONED, enter_judged
from tests.fleet import contents, settings_of

SOMEBODY = Actor("somebody", Scope.OPERATOR)
LOST = JudgeSpec(reactive=True)
"""As nobody was judged yet; the store lacks the scene, so nobody can be."""


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    with open_platform(settings_of(tmp_path / "home")) as opened:
        enter_judged(opened, "town")
        yield opened


@pytest.fixture
def service(platform: Platform) -> Service:
    return idle_service(platform)


def test_a_job_that_fails_is_told_and_tried_again_only_when_it_is_asked_for(service: Service) -> None:
    asked = ask_for_evaluation(service, EXPERT, "town", spec=LOST, actor=SOMEBODY)
    take_on_operations(service)
    failed = evaluation_status(service, asked.operation_id)
    assert (failed.state, failed.result) == (OperationState.FAILED, None)
    assert "not in the store" in failed.message
    assert operations_under_way(service) == []
    take_on_operations(service)
    assert evaluation_status(service, asked.operation_id) == failed
    again = ask_for_evaluation(service, EXPERT, "town", spec=LOST, actor=SOMEBODY)
    assert (again.operation_id, again.state) == (failed.operation_id, OperationState.RUNNING)


def test_a_comparison_fails_with_what_either_policy_cannot_drive(service: Service) -> None:
    wish_id = ask_for_comparison(
        service, EXPERT, CLONED, "town", spec=LOST, clips=1, progress_margin=0.02, actor=SOMEBODY
    )
    take_on_operations(service)
    wish, failed = comparison_status(service, wish_id)
    assert (wish.before, wish.after, failed.state) == (EXPERT, CLONED, OperationState.FAILED)


def test_what_was_asked_for_goes_on_after_a_restart(platform: Platform) -> None:
    job = evaluation_job(platform, CLONED, "town", JudgeSpec())
    wish = EvaluationWish(CLONED, job.suite_id, JudgeSpec())
    with platform.catalog.transaction() as tx:
        save_operation(tx, Operation(job.evaluation_id, wish, "somebody", utc_now()))
    restarted = idle_service(platform)
    ((waiting, progress),) = operations_under_way(restarted)
    assert (waiting.wish, progress) == (wish, None)
    take_on_operations(restarted)
    with platform.catalog.transaction() as tx:
        kept = find_operation(tx, job.evaluation_id)
    assert kept is not None
    assert kept.state is OperationState.DONE
    assert evaluation_status(restarted, job.evaluation_id).result is not None


def test_the_same_question_is_kept_once_and_logged_once(service: Service) -> None:
    spec = LicenceSpec(
        "anybody at all", evaluation_job(service.platform, CLONED, "town", JudgeSpec()).suite_id, {"failure": 1.0}
    )
    first = ask_for_licence(service, CLONED, spec, actor=SOMEBODY)
    before = contents(service.platform)
    assert first.result is not None
    assert first.result.issued
    assert (
        ask_for_licence(service, CLONED, spec, actor=SOMEBODY) == first == licence_status(service, first.operation_id)
    )
    assert contents(service.platform) == before
    assert [row["action"] for row in before["audit_log"]] == ["licence.asked"]
