"""Lists in pages that stay true while rows are added: each page begins after the last item of the one before."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Place = tuple[str | int | float, ...]
"""Where an item stands in the order of its list."""

LARGEST_PAGE = 500


@dataclass(frozen=True)
class PageRequest:
    """At most `limit` items, those after a place; None for the first page."""

    limit: int = 50
    after: Place | None = None


@dataclass(frozen=True)
class Page(Generic[Item]):
    """Items in order, and where the next page begins; None where this is the last."""

    items: tuple[Item, ...]
    after: Place | None
