"""What the schemas share: read from records by name, pages, problems."""

from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from al_platform.domain.paging import Page
from api.paging import cursor_of


class Out(BaseModel):
    """An answer; made from any record with the same names."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class In(BaseModel):
    """A body; a name that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Item = TypeVar("Item", bound=Out)
Record = TypeVar("Record")


class PageOut(Out, Generic[Item]):
    """Items in order; `next_cursor` asks for the next page, null where this is the last."""

    items: list[Item]
    next_cursor: str | None = Field(examples=["WyJkcml2ZV8xIiwgMTJd"])


def page_out(page: Page[Record], kind: type[Item]) -> PageOut[Item]:
    """Give a page as it is answered."""
    items = [kind.model_validate(record) for record in page.items]
    return PageOut[kind](items=items, next_cursor=cursor_of(page.after))  # type: ignore[valid-type]


class ProblemEntry(Out):
    """One place of a request that does not fit."""

    at: str = Field(examples=["query.limit"])
    message: str


class ProblemDetails(Out):
    """An error, RFC 9457. `code` never changes; `detail` says what to do about it."""

    type: str = Field(examples=["urn:al-platform:problem:not-found"])
    title: str = Field(examples=["Nothing of this id or name is there"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["round rnd_1: not in the catalog; `alp round list` shows what there is"])
    code: str = Field(examples=["not-found"])
    request_id: str = Field(examples=["5f0c8a2b"])
    errors: list[ProblemEntry] = []
