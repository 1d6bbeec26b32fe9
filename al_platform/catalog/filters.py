"""Filters as conditions on frames: `dataset=idd_lite, split=train|val, brightness>=60`. Never SQL.

The language is explained in `domain.filters`.
"""

import math
import re
from dataclasses import dataclass

from al_platform.catalog.connection import Transaction
from al_platform.catalog.tags import known_tags, pointer_of
from al_platform.domain.filters import FILTER_HELP
from al_platform.errors import InvalidInput

TEXT_COLUMNS = ("frame_id", "dataset", "session_id", "tier")
NUMBER_COLUMNS = {
    "frame_number": "DOUBLE",
    "timestamp_s": "DOUBLE",
    "width": "DOUBLE",
    "height": "DOUBLE",
    "brightness": "FLOAT",
    "sharpness": "FLOAT",
    "clipped": "FLOAT",
    "latitude": "DOUBLE",
    "longitude": "DOUBLE",
}
"""Name to the type in which a value is compared: 60.1 as a FLOAT is not 60.1 as a DOUBLE."""

_TERM = re.compile(r"^\s*([^=!<>]+?)\s*(!=|<=|>=|=|<|>)\s*([^\s=!<>].*?)\s*$")
_TAG_TEXT = "json_extract_string({tags}, ?)"
_TAG_IS_NUMBER = "json_type({tags}, ?) IN ('UBIGINT', 'BIGINT', 'DOUBLE')"


@dataclass(frozen=True)
class Condition:
    """A part of a WHERE clause and the values bound to it."""

    sql: str
    values: tuple[str | float, ...]


def parse_filter(tx: Transaction, text: str) -> Condition:
    """Turn a filter, as `domain.filters` explains it, into a condition on frames.

    Raises: InvalidInput for a term that does not parse, a name that no frame carries, or terms that contradict.
    """
    terms = [_term(term) for term in text.split(",") if term.strip()]
    conditions = [_condition(tx, term) for term in terms]
    _require_possible(terms)
    if not conditions:
        return Condition("TRUE", ())
    return Condition(
        " AND ".join(f"({condition.sql})" for condition in conditions),
        tuple(value for condition in conditions for value in condition.values),
    )


@dataclass(frozen=True)
class _Term:
    text: str
    name: str
    operator: str
    value: str

    @property
    def alternatives(self) -> list[str]:
        return [part.strip() for part in self.value.split("|")]


def _term(text: str) -> _Term:
    match = _TERM.match(text)
    if match is None:
        raise InvalidInput(f"filter term {text.strip()!r}: write {FILTER_HELP}")
    return _Term(text.strip(), *match.groups())


def _condition(tx: Transaction, term: _Term) -> Condition:
    _require_known(tx, term.name)
    if term.operator not in ("=", "!="):
        return _on_frames(tx, term.name, _compared(term.name, term.operator, _number(term.value, term.text)))
    equal = _on_frames(tx, term.name, _equal(term.name, term.alternatives, term.text))
    return equal if term.operator == "=" else Condition(f"({equal.sql}) IS NOT TRUE", equal.values)


def _require_possible(terms: list[_Term]) -> None:
    """Refuse `=` terms of one name that have no value in common."""
    equal: dict[str, tuple[_Term, set[str | float]]] = {}
    for term in (each for each in terms if each.operator == "="):
        values = {_comparable(term.name, text) for text in term.alternatives}
        before, common = equal.get(term.name, (term, values))
        if not common & values:
            either = "|".join([*before.alternatives, *term.alternatives])
            raise InvalidInput(
                f"filter terms {before.text!r} and {term.text!r}: no frame can be both; for either write "
                f"{term.name}={either}"
            )
        equal[term.name] = (term, common & values)


def _comparable(name: str, text: str) -> str | float:
    return float(text) if name not in TEXT_COLUMNS and _is_number(text) else text


def _on_frames(tx: Transaction, name: str, condition: Condition) -> Condition:
    """Turn a condition on JSON tags into one on frames: read once a tag set, and once a frame for its own tags."""
    if name in TEXT_COLUMNS or name in NUMBER_COLUMNS:
        return condition
    in_sets = f"tag_set IN (SELECT tag_set FROM tag_sets WHERE {condition.sql.format(tags='tags')})"
    if tx.execute("SELECT shared FROM tag_names WHERE name = ?", [name]).fetchall() == [(True,)]:
        return Condition(in_sets, condition.values)
    return Condition(f"{in_sets} OR {condition.sql.format(tags='own_tags')}", condition.values * 2)


def _compared(name: str, operator: str, number: float) -> Condition:
    if name in NUMBER_COLUMNS:
        return Condition(f"{name} {operator} TRY_CAST(? AS {NUMBER_COLUMNS[name]})", (number,))
    if name in TEXT_COLUMNS:
        return Condition(f"TRY_CAST({name} AS DOUBLE) {operator} ?", (number,))
    return Condition(f"TRY_CAST({_TAG_TEXT} AS DOUBLE) {operator} ?", (pointer_of(name), number))


def _equal(name: str, alternatives: list[str], term: str) -> Condition:
    if name in NUMBER_COLUMNS:
        mark = f"TRY_CAST(? AS {NUMBER_COLUMNS[name]})"
        numbers = [_number(text, term) for text in alternatives]
        return Condition(f"{name} IN ({_marks(numbers, mark)})", tuple(numbers))
    if name in TEXT_COLUMNS:
        return Condition(f"{name} IN ({_marks(alternatives)})", tuple(alternatives))
    path = pointer_of(name)
    text = Condition(f"{_TAG_TEXT} IN ({_marks(alternatives)})", (path, *alternatives))
    numbers = [float(part) for part in alternatives if _is_number(part)]
    if not numbers:
        return text
    sql = f"{text.sql} OR ({_TAG_IS_NUMBER} AND TRY_CAST({_TAG_TEXT} AS DOUBLE) IN ({_marks(numbers)}))"
    return Condition(sql, (*text.values, path, path, *numbers))


def _marks(values: list[str] | list[float], mark: str = "?") -> str:
    return ", ".join([mark] * len(values))


def _require_known(tx: Transaction, name: str) -> None:
    if name in TEXT_COLUMNS or name in NUMBER_COLUMNS:
        return
    tags = known_tags(tx)
    if name not in tags:
        known = ", ".join((*TEXT_COLUMNS, *NUMBER_COLUMNS, *tags))
        raise InvalidInput(f"filter name {name!r}: no frame carries it; known are {known}")


def _number(text: str, term: str) -> float:
    if not _is_number(text):
        raise InvalidInput(f"filter term {term.strip()!r}: needs a number, not {text!r}")
    return float(text)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
