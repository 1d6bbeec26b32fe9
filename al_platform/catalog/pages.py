"""One page of any question, by the place of its last item: rows that come or go shift nothing."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from al_platform.catalog.connection import Transaction
from al_platform.catalog.filters import Condition
from al_platform.catalog.tables import rows_of
from al_platform.domain.paging import LARGEST_PAGE, Page, PageRequest, Place
from al_platform.errors import InvalidInput

Item = TypeVar("Item")
EVERYTHING = Condition("TRUE", ())

_WHOLE_LIMIT = 2**63


def page_of(
    tx: Transaction,
    source: str,
    *,
    page: PageRequest,
    order: Mapping[str, type],
    make: Callable[[Mapping[str, Any]], Item],
    where: Condition = EVERYTHING,
    newest_first: bool = False,
) -> Page[Item]:
    """Give a page of `source`, a table or a parenthesised question, ordered by the columns of `order`.

    Together these columns must tell every two rows apart. Their types are those a place must have.

    Raises: InvalidInput for a limit that no page has, or a place that is none of this list.
    """
    if not 1 <= page.limit <= LARGEST_PAGE:
        raise InvalidInput(f"limit {page.limit}: must be at least 1 and at most {LARGEST_PAGE}")
    after = _after(page.after, order, newest_first=newest_first)
    direction = " DESC" if newest_first else ""
    rows = rows_of(
        tx,
        f"SELECT * FROM {source} WHERE ({where.sql}) AND {after.sql} "
        f"ORDER BY {', '.join(name + direction for name in order)} LIMIT {page.limit + 1}",
        [*where.values, *after.values],
    )
    items = rows[: page.limit]
    more = len(rows) > page.limit
    return Page(tuple(make(row) for row in items), tuple(items[-1][name] for name in order) if more else None)


def _after(place: Place | None, order: Mapping[str, type], *, newest_first: bool) -> Condition:
    if place is None:
        return EVERYTHING
    if len(place) != len(order) or not all(
        _fits(value, kind) for value, kind in zip(place, order.values(), strict=True)
    ):
        raise InvalidInput("cursor: not one that this list gave; begin again without a cursor")
    sign = "<" if newest_first else ">"
    first = next(iter(order))
    # the bound on the first column alone lets whole row groups be passed over
    sql = f"{first} {sign}= ? AND ({', '.join(order)}) {sign} ({', '.join('?' * len(order))})"
    return Condition(sql, (place[0], *place))


def _fits(value: object, kind: type) -> bool:
    return type(value) is kind and (not isinstance(value, int) or abs(value) < _WHOLE_LIMIT)
