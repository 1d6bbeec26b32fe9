"""What is imported, and what came of it."""

from typing import Annotated, Literal

from pydantic import Field

from al_platform.domain.ingest import IngestReport
from api.schemas.base import In, Out

NAMED = 100
"""How many of what could not be used an answer names."""

_Text = Annotated[str, Field(max_length=200)]


class ImportIn(In):
    """A source in the inbox, and how it is read."""

    adapter: Annotated[Literal["masks", "coco"], Field(description="What the source is")]
    path: Annotated[str, Field(min_length=1, max_length=1000, examples=["week_47/boxes.json"])]
    """Below the inbox."""
    options: Annotated[
        dict[_Text, _Text], Field(max_length=10, description="As for `alp ingest`", examples=[{"dataset": "week_47"}])
    ] = Field(default={})


class BrokenOut(Out):
    """A file that could not be used, and why."""

    origin: str
    reason: str


class ImportOut(Out):
    """What an import found; `duplicates` and `broken` name the first hundred of each."""

    read: int
    added: int
    labels: int
    duplicates: list[str]
    broken: list[BrokenOut]

    @classmethod
    def of(cls, report: IngestReport) -> "ImportOut":
        """Give a report as it is answered."""
        return cls(
            read=report.read,
            added=report.added,
            labels=report.labels,
            duplicates=list(report.duplicates[:NAMED]),
            broken=[BrokenOut.model_validate(broken) for broken in report.broken[:NAMED]],
        )
