"""Parameters that several routes share."""

from typing import Annotated

from fastapi import Header, Path, Query

from al_platform.domain.filters import FILTER_HELP

Id = Annotated[str, Path(min_length=1, max_length=200)]
Filter = Annotated[
    str,
    Query(
        max_length=2000,
        description=FILTER_HELP,
        examples=["dataset=synthetic,split=pool,brightness>=60"],
    ),
]
Unlabelled = Annotated[bool, Query(description="Only frames that nobody ever labelled")]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="A text of the caller's own: sent again, the same request brings back what it brought before",
        examples=["2026-11-21-nightly"],
    ),
]
