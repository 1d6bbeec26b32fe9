"""ETag and If-Match: nobody changes what somebody else changed meanwhile; nobody fetches twice what he has."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Header, Request, Response

from al_platform.errors import StaleVersion
from al_platform.platform.pictures import Picture
from api.errors import PreconditionRequired

IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="The ETag that the object had when it was read", examples=['"3"'])
]

_A_YEAR_S = 31_536_000


def required_version(if_match: str | None) -> str:
    """Give the version that a change is meant for.

    Raises: PreconditionRequired without one, StaleVersion for a text that is no strong ETag.
    """
    if if_match is None:
        raise PreconditionRequired("send If-Match with the ETag that the object had when you read it")
    text = if_match.strip()
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        raise StaleVersion(f"If-Match {text}: is no ETag of this object; read it again")
    return text[1:-1]


def etag(version: str | int) -> str:
    """Give the ETag of a version."""
    return f'"{version}"'


def picture_response(request: Request, picture: Picture, **headers: str) -> Response:
    """Answer with a picture that never changes under its address, or 304 to whoever has it."""
    known = unchanged(request, picture.version, **headers)
    return known or Response(picture.content, media_type=picture.media_type, headers=_kept(picture.version, headers))


def unchanged(request: Request, version: str, **headers: str) -> Response | None:
    """Give the 304 for whoever has this version already, None for others; nothing is read or computed for it."""
    have = (part.strip() for part in request.headers.get("if-none-match", "").split(","))
    return Response(status_code=304, headers=_kept(version, headers)) if etag(version) in have else None


def _kept(version: str, headers: Mapping[str, str]) -> dict[str, str]:
    return {"ETag": etag(version), "Cache-Control": f"private, max-age={_A_YEAR_S}, immutable", **headers}
