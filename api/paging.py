"""Cursors: where a page ended, as a text that only this service reads."""

import base64
import json
import math
from typing import Annotated

from fastapi import Depends, Query

from al_platform.domain.paging import LARGEST_PAGE, PageRequest, Place
from al_platform.errors import InvalidInput

_LONGEST = 2000
_WRONG = "cursor: not one that this list gave; begin again without a cursor"


def cursor_of(place: Place | None) -> str | None:
    """Give the cursor of a place; None where there is no next page."""
    if place is None:
        return None
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_of(cursor: str) -> Place:
    """Give the place that a cursor names.

    Raises: InvalidInput for a text that is none.
    """
    try:
        found = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(found, list) or not all(_is_part(part) for part in found):
            raise InvalidInput(_WRONG)
        for part in found:
            str(part).encode()
    except (ValueError, RecursionError):
        raise InvalidInput(_WRONG) from None
    return tuple(found)


def _is_part(part: object) -> bool:
    return type(part) in (str, int) or (isinstance(part, float) and math.isfinite(part))


def page_of(limit: int, cursor: str | None) -> PageRequest:
    """Give the request for the page at a cursor, or for the first without one.

    Raises: InvalidInput for a text that is no cursor.
    """
    return PageRequest(limit, place_of(cursor) if cursor else None)


async def _asked(
    limit: Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Items on a page")] = 50,
    cursor: Annotated[
        str | None, Query(max_length=_LONGEST, description="`next_cursor` of the page before; none for the first")
    ] = None,
) -> PageRequest:
    return page_of(limit, cursor)


PageAsked = Annotated[PageRequest, Depends(_asked)]
