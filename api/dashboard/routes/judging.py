"""Policies against each other: the leaderboard of a suite, comparisons with clips, and licences with their reasons."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response

from al_platform.domain.judging import EXPERT, PROGRESS, Change, JudgeSpec
from al_platform.domain.operations import LicenceWish
from al_platform.domain.paging import LARGEST_PAGE, PageRequest
from al_platform.errors import PlatformError
from al_platform.platform import judgements, judging, licences, policies
from al_platform.platform.picture_links import PictureLinks
from al_platform.platform.service import Service
from api.dashboard.guard import OPERATOR, READER, Caller, Links, SentForm, ServiceHere, texts_of
from api.dashboard.pages import BASE, render
from api.dashboard.under_way import UnderWay, all_under_way, suite_of
from api.paging import cursor_of, page_of

router = APIRouter(prefix="/policies")
Id = Annotated[str, Path(min_length=1, max_length=200)]
Cursor = Annotated[str, Query(max_length=2000)]
Seen = Annotated[int, Query(ge=0)]
_SHOWN = 50
_CLIPS, _MARGIN = 6, 0.02
_ALL = PageRequest(LARGEST_PAGE)


@dataclass(frozen=True)
class ChangeCard:
    """A scenario that changed, and the address of its clip; "" where none was drawn."""

    change: Change
    clip: str


@router.get("/suites/{suite}", dependencies=[READER])
def leaderboard_page(
    request: Request, service: ServiceHere, suite: Id, reactive: bool = False, cursor: Cursor = ""
) -> Response:
    """Rank the policies that drove a suite."""
    return _leaderboard(request, service, suite, reactive=reactive, cursor=cursor)


@router.get("/suites/{suite}/live", dependencies=[READER])
def suite_live(request: Request, service: ServiceHere, suite: Id, seen: Seen = 0) -> Response:
    """Give what is being judged on a suite; the page is asked for anew once that is less than it has seen."""
    chosen = judging.suite(service.platform, suite)
    found = _under_way(service, chosen.suite_id)
    response = render(request, "parts/judging_live.html.jinja", suite=chosen, under_way=found)
    if len(found) < seen:
        response.headers["HX-Refresh"] = "true"
    return response


@router.post("/suites/{suite}/evaluate", dependencies=[OPERATOR])
def evaluate(request: Request, service: ServiceHere, caller: Caller, form: SentForm, suite: Id) -> Response:
    """Have a policy drive the suite."""
    fields = texts_of(form)
    reactive = "reactive" in fields
    try:
        judgements.ask_for_evaluation(service, fields.get("policy", ""), suite, spec=JudgeSpec(reactive), actor=caller)
    except PlatformError as error:
        return _leaderboard(request, service, suite, reactive=reactive, failed=str(error))
    return RedirectResponse(_address(suite, reactive=reactive), status_code=303)


@router.post("/suites/{suite}/compare", dependencies=[OPERATOR])
def compare(request: Request, service: ServiceHere, caller: Caller, form: SentForm, suite: Id) -> Response:
    """Have two policies compared on the suite."""
    fields = texts_of(form)
    reactive = "reactive" in fields
    try:
        asked_id = judgements.ask_for_comparison(
            service,
            fields.get("before", ""),
            fields.get("after", ""),
            suite,
            spec=JudgeSpec(reactive),
            clips=_CLIPS,
            progress_margin=_MARGIN,
            actor=caller,
        )
    except PlatformError as error:
        return _leaderboard(request, service, suite, reactive=reactive, failed=str(error))
    return RedirectResponse(f"{BASE}/policies/comparisons/{asked_id}", status_code=303)


@router.get("/comparisons/{asked_id}", dependencies=[READER])
def comparison_page(request: Request, service: ServiceHere, links: Links, asked_id: Id) -> Response:
    """Show how two policies differ, with clips of what changed most."""
    wish, asked = judgements.comparison_status(service, asked_id)
    found = asked.result
    return render(
        request,
        "comparison.html.jinja",
        wish=wish,
        asked=asked,
        found=found,
        suite=judging.suite(service.platform, wish.suite_id),
        groups=[("worse", _cards(links, found.worse)), ("better", _cards(links, found.better))] if found else [],
    )


@router.get("/comparisons/{asked_id}/live", dependencies=[READER])
def comparison_live(request: Request, service: ServiceHere, asked_id: Id) -> Response:
    """Give how far a comparison is; the page is asked for anew once it is done."""
    _, asked = judgements.comparison_status(service, asked_id)
    response = render(request, "parts/comparison_live.html.jinja", asked=asked)
    if asked.state != "running":
        response.headers["HX-Refresh"] = "true"
    return response


@router.get("/licences", dependencies=[READER])
def licences_page(request: Request, service: ServiceHere, cursor: Cursor = "") -> Response:
    """Show what was decided, with every reason, and what licences ask for."""
    return _licences(request, service, cursor)


@router.post("/licences", dependencies=[OPERATOR])
def ask_for_licence(request: Request, service: ServiceHere, caller: Caller, form: SentForm) -> Response:
    """Have a licence decided that is known by its name."""
    fields = texts_of(form)
    try:
        spec = licences.licence_spec(service.platform, fields.get("name", ""))
        judgements.ask_for_licence(service, fields.get("policy", ""), spec, actor=caller)
    except PlatformError as error:
        return _licences(request, service, "", failed=str(error))
    return RedirectResponse(f"{BASE}/policies/licences", status_code=303)


def _leaderboard(
    request: Request, service: Service, suite: str, *, reactive: bool, cursor: str = "", failed: str = ""
) -> Response:
    chosen = judging.suite(service.platform, suite)
    found = judging.leaderboard(service.platform, suite, page_of(_SHOWN, cursor), spec=JudgeSpec(reactive))
    return render(
        request,
        "leaderboard.html.jinja",
        status=422 if failed else 200,
        suite=chosen,
        standings=found.items,
        top=max([each.evaluation.measures["failure"].high for each in found.items], default=0.0) or 1.0,
        progress_name=PROGRESS,
        reactive=reactive,
        under_way=_under_way(service, chosen.suite_id),
        names=[EXPERT, *(policy.policy_id for policy in policies.policies_page(service.platform, _ALL).items)],
        cursor=cursor,
        next_cursor=cursor_of(found.after),
        failed=failed,
    )


def _licences(request: Request, service: Service, cursor: str, *, failed: str = "") -> Response:
    found = licences.licences(service.platform, "", page_of(_SHOWN, cursor))
    specs = licences.licence_specs(service.platform, _ALL).items
    suites = {suite.suite_id: suite for suite in judging.suites(service.platform, _ALL).items}
    return render(
        request,
        "licences.html.jinja",
        status=422 if failed else 200,
        decisions=found.items,
        specs=[(spec, suites[spec.suite_id]) for spec in specs if spec.suite_id in suites],
        under_way=[each for each in all_under_way(service) if isinstance(each.operation.wish, LicenceWish)],
        names=[policy.policy_id for policy in policies.policies_page(service.platform, _ALL).items],
        cursor=cursor,
        next_cursor=cursor_of(found.after),
        failed=failed,
    )


def _under_way(service: Service, suite_id: str) -> list[UnderWay]:
    return [each for each in all_under_way(service) if suite_of(each.operation) == suite_id]


def _cards(links: PictureLinks, changes: Sequence[Change]) -> list[ChangeCard]:
    return [ChangeCard(change, links.blob(change.clip_hash) if change.clip_hash else "") for change in changes]


def _address(suite: str, *, reactive: bool) -> str:
    return f"{BASE}/policies/suites/{suite}" + ("?reactive=true" if reactive else "")
