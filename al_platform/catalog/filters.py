"""The filter language of pools: `dataset=idd_lite, split=train|val, brightness>=60`. Never SQL from a user."""

import re
from dataclasses import dataclass

from al_platform.catalog.connection import Transaction
from al_platform.errors import InvalidInput

TEXT_COLUMNS = ("frame_id", "dataset", "session_id")
NUMBER_COLUMNS = ("frame_number", "timestamp_s", "width", "height", "brightness", "sharpness")
_TERM = re.compile(r"^\s*([A-Za-z_]\w*)\s*(!=|<=|>=|=|<|>)\s*(.+?)\s*$")


@dataclass(frozen=True)
class Condition:
    """A part of a WHERE clause and the values bound to it."""

    sql: str
    values: tuple[str | float, ...]


def parse_filter(tx: Transaction, text: str) -> Condition:
    """Turn a filter into a condition on frames; an empty text matches every frame.

    Terms are joined by commas (and). `=` and `!=` take alternatives separated by `|`; `<`, `<=`, `>`, `>=` take
    numbers. Names are columns of a frame or names of tags.

    Raises: InvalidInput for a term that does not parse, or a name that no frame carries.
    """
    conditions = [_condition(tx, term) for term in text.split(",") if term.strip()]
    if not conditions:
        return Condition("TRUE", ())
    return Condition(
        " AND ".join(f"({condition.sql})" for condition in conditions),
        tuple(value for condition in conditions for value in condition.values),
    )


def _condition(tx: Transaction, term: str) -> Condition:
    match = _TERM.match(term)
    if match is None:
        raise InvalidInput(f"filter term {term.strip()!r}: write NAME=VALUE, NAME=A|B, NAME!=VALUE or NAME>=NUMBER")
    name, operator, value = match.groups()
    expression = _expression(tx, name)
    if operator in ("=", "!="):
        alternatives = tuple(part.strip() for part in value.split("|"))
        marks = ", ".join("?" for _ in alternatives)
        sql = f"CAST({expression} AS VARCHAR) IN ({marks})"
        return Condition(sql if operator == "=" else f"({sql}) IS NOT TRUE", alternatives)
    try:
        number = float(value)
    except ValueError:
        raise InvalidInput(f"filter term {term.strip()!r}: {operator} needs a number, not {value!r}") from None
    return Condition(f"TRY_CAST({expression} AS DOUBLE) {operator} ?", (number,))


def _expression(tx: Transaction, name: str) -> str:
    if name in TEXT_COLUMNS or name in NUMBER_COLUMNS:
        return name
    if name not in known_tags(tx):
        known = ", ".join((*TEXT_COLUMNS, *NUMBER_COLUMNS, *known_tags(tx)))
        raise InvalidInput(f"filter name {name!r}: no frame carries it; known are {known}")
    return f"tags->>'$.{name}'"


def known_tags(tx: Transaction) -> list[str]:
    """Give the names of all tags that any frame carries, sorted."""
    rows = tx.execute("SELECT DISTINCT unnest(json_keys(tags)) AS name FROM frames ORDER BY name").fetchall()
    return [row[0] for row in rows]
