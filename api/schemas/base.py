"""What the schemas share: read from records by name, pages, problems."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from al_platform.domain.paging import Page
from api.paging import cursor_of

LARGEST = 2**31 - 1
Name = Annotated[str, Field(min_length=1, max_length=200)]
Whole = Annotated[int, Field(ge=1, le=LARGEST)]


class Out(BaseModel):
    """An answer; made from any record with the same names."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


class In(BaseModel):
    """A body; a name that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ProgressOut(Out):
    """`done` of `total` in the units that the stage counts."""

    stage: str = Field(examples=["train"])
    done: int
    total: int
    note: str = Field(default="", description="Losses, or speed and what limits it", examples=["validation loss 0.21"])
    seconds_left: float | None = Field(default=None, description="As long as the stage will take yet; null: unknown")


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
