"""Keys, and the log of every change."""

from dataclasses import asdict

from fastapi import APIRouter, Response

from al_platform.errors import Conflict, InvalidInput, NotFound, StaleVersion
from api.access import ADMIN, Caller, ServiceHere
from api.conditions import IfMatch, etag, required_version
from api.errors import PreconditionRequired, problem_responses
from api.paging import PageAsked
from api.routes.parameters import Id
from api.schemas.access import ChangeOut, KeyChange, KeyIn, KeyOut, NewKeyOut
from api.schemas.base import PageOut, page_out

router = APIRouter(prefix="/v1", tags=["access"], dependencies=[ADMIN])


@router.get("/keys", operation_id="list_keys", responses=problem_responses(InvalidInput))
def list_keys(service: ServiceHere, page: PageAsked) -> PageOut[KeyOut]:
    """List keys, oldest first, revoked ones too."""
    return page_out(service.keys.page(page), KeyOut)


@router.post("/keys", operation_id="make_key", status_code=201, responses=problem_responses(InvalidInput))
def make_key(service: ServiceHere, caller: Caller, body: KeyIn, response: Response) -> NewKeyOut:
    """Make a key; its text is in this answer and nowhere else."""
    key, text = service.keys.make(body.name, body.scope, actor=caller, expires_at=body.expires_at)
    response.headers["ETag"] = etag(key.revision)
    response.headers["Cache-Control"] = "no-store"
    return NewKeyOut(**asdict(key), key=text)


@router.get("/keys/{key_id}", operation_id="get_key", responses=problem_responses(NotFound))
def get_key(service: ServiceHere, key_id: Id, response: Response) -> KeyOut:
    """Give a key, without its text."""
    key = service.keys.named(key_id)
    response.headers["ETag"] = etag(key.revision)
    return KeyOut.model_validate(key)


@router.patch(
    "/keys/{key_id}",
    operation_id="change_key",
    responses=problem_responses(NotFound, StaleVersion, PreconditionRequired, Conflict, InvalidInput),
)
def change_key(
    service: ServiceHere, caller: Caller, key_id: Id, body: KeyChange, response: Response, if_match: IfMatch = None
) -> KeyOut:
    """Give a key another name, or revoke it for good."""
    key = service.keys.change(
        key_id,
        actor=caller,
        version=required_version(if_match),
        name=body.name,
        revoke=body.state == "revoked",
    )
    response.headers["ETag"] = etag(key.revision)
    return KeyOut.model_validate(key)


@router.get("/changes", operation_id="list_changes", responses=problem_responses(InvalidInput))
def list_changes(service: ServiceHere, page: PageAsked) -> PageOut[ChangeOut]:
    """List who changed what, newest first."""
    return page_out(service.keys.changes(page), ChangeOut)
