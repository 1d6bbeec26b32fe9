"""Driving policies: all of them, and one with its learning curve, its evaluations and its licences."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from al_platform.domain.judging import Evaluation
from al_platform.domain.paging import LARGEST_PAGE, PageRequest
from al_platform.domain.policies import CurvePoint, PolicyVersion
from al_platform.errors import CorruptBlob, NotFound, PlatformError
from al_platform.experiments.report.figures import Panel
from al_platform.platform import failures, judgements, judging, licences, policies
from al_platform.platform.failures import FailedScene
from al_platform.platform.picture_links import PictureLinks
from al_platform.platform.policy_curves import last_measured, policy_panels
from al_platform.platform.service import Service
from api.dashboard.guard import OPERATOR, READER, Caller, Links, SentForm, ServiceHere, texts_of
from api.dashboard.pages import BASE, render
from api.dashboard.under_way import all_under_way, suite_of
from api.paging import cursor_of, page_of

router = APIRouter(prefix="/policies")
Id = Annotated[str, Path(min_length=1, max_length=200)]
Cursor = Annotated[str, Query(max_length=2000)]
_SHOWN = 24
_CLIPS = 6
"""Failed scenarios of an evaluation that are drawn; the others are listed."""
_ALL = PageRequest(LARGEST_PAGE)


@dataclass(frozen=True)
class PolicyRow:
    """A policy as a row of a table."""

    policy: PolicyVersion
    steps: int | None
    """Steps that it learned from; None where its curve is gone."""
    last: CurvePoint | None
    """The last point of its curve that was measured."""


@dataclass(frozen=True)
class FailedCard:
    """A scenario that a policy failed, and the address of its clip; "" where none is drawn."""

    scene: FailedScene
    clip: str


@router.get("", dependencies=[READER])
def policies_page(request: Request, service: ServiceHere, cursor: Cursor = "") -> Response:
    """Show suites, and policies with the newest first."""
    return _page(request, service, cursor)


@router.post("/suites", dependencies=[OPERATOR])
def freeze(request: Request, service: ServiceHere, caller: Caller, form: SentForm) -> Response:
    """Freeze a suite; the same form sent twice is one suite."""
    fields = texts_of(form)
    key = f"form {fields.get('form_id', '')}"[:200]
    try:
        made, _ = judgements.freeze(service, fields.get("name", ""), fields.get("filter", ""), actor=caller, key=key)
    except PlatformError as error:
        return _page(request, service, "", failed=str(error))
    return RedirectResponse(f"{BASE}/policies/suites/{made.suite_id}", status_code=303)


@router.get("/{policy_id}", dependencies=[READER])
def policy_page(request: Request, service: ServiceHere, links: Links, policy_id: Id) -> Response:
    """Show a policy: what it was made of, how it learned, how it drives, and what it may do."""
    found = policies.policy(service.platform, policy_id)
    panels: tuple[Panel, ...] = ()
    missing = ""
    try:
        panels = policy_panels(service.platform, found)
    except (NotFound, CorruptBlob) as error:
        missing = str(error)
    driven = judging.evaluations(service.platform, policy_id, _ALL).items
    return render(
        request,
        "policy.html.jinja",
        policy=found,
        recipe=found.spec.cloning or found.spec.practice,
        panels=panels,
        missing=missing,
        driven=[
            (each, judging.suite(service.platform, each.suite_id), _failed(service, links, each)) for each in driven
        ],
        decisions=licences.licences(service.platform, policy_id, _ALL).items,
    )


def _failed(service: Service, links: PictureLinks, found: Evaluation) -> list[FailedCard]:
    """The scenarios of an evaluation that failed; none where its drives are gone."""
    try:
        scenes = failures.failed_scenes(service.platform, found.evaluation_id)
    except (NotFound, CorruptBlob):
        return []
    return [
        FailedCard(scene, links.drive(found.evaluation_id, scene.scenario_id) if place < _CLIPS else "")
        for place, scene in enumerate(scenes)
    ]


def _page(request: Request, service: Service, cursor: str, *, failed: str = "") -> Response:
    found = policies.policies_page(service.platform, page_of(_SHOWN, cursor))
    return render(
        request,
        "policies.html.jinja",
        status=422 if failed else 200,
        rows=[_row(service, policy) for policy in found.items],
        under_way=[each for each in all_under_way(service) if not suite_of(each.operation)],
        suites=judging.suites(service.platform, _ALL).items,
        cursor=cursor,
        next_cursor=cursor_of(found.after),
        failed=failed,
        form_id=request.state.request_id,
    )


def _row(service: Service, policy: PolicyVersion) -> PolicyRow:
    try:
        points = policies.curve_of(service.platform, policy.policy_id).points
    except (NotFound, CorruptBlob):
        return PolicyRow(policy, None, None)
    return PolicyRow(policy, points[-1].agent_steps if points else 0, last_measured(points))
