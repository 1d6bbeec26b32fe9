"""Parameters that several routes share."""

from typing import Annotated

from fastapi import Path, Query

Id = Annotated[str, Path(min_length=1, max_length=200)]
Filter = Annotated[
    str,
    Query(
        max_length=2000,
        description="`NAME=A|B, NAME!=VALUE, NAME>=NUMBER`, joined by commas; columns of a frame or its tags",
        examples=["dataset=synthetic,split=pool,brightness>=60"],
    ),
]
Unlabelled = Annotated[bool, Query(description="Only frames that nobody ever labelled")]
