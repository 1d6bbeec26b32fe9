"""Records back from their JSON text: the inverse of `hashing.canonical_json`."""

from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

Record = TypeVar("Record")


def record_from_json(kind: type[Record], text: str) -> Record:
    """Give the frozen record of this kind that `canonical_json` wrote, checked field by field.

    Raises: pydantic.ValidationError where the text is not such a record, InvalidInput where the record
        refuses what it says.
    """
    record: Record = _adapter(kind).validate_json(text)  # type: ignore[arg-type]  # classes do hash
    return record


@cache
def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
