"""Filters as conditions on frames: `dataset=idd_lite, split=train|val, brightness>=60`. Never SQL.

The language is explained in `domain.filters`.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from al_platform.catalog.connection import Transaction
from al_platform.catalog.tags import known_tags, pointer_of
from al_platform.domain.filters import FILTER_HELP
from al_platform.errors import InvalidInput


@dataclass(frozen=True)
class Condition:
    """A part of a WHERE clause and the values bound to it."""

    sql: str
    values: tuple[str | float, ...]


@dataclass(frozen=True)
class Filtered:
    """What a filter is about: its columns, and where its tags are."""

    what: str
    texts: tuple[str, ...]
    numbers: Mapping[str, str]
    """Name to the type in which a value is compared: 60.1 as a FLOAT is not 60.1 as a DOUBLE."""
    tag_names: Callable[[Transaction], list[str]]
    on_tags: Callable[[Transaction, str, Condition], Condition]
    """Turns a condition on JSON `{tags}` with a tag of this name into one on a row."""

    def has_column(self, name: str) -> bool:
        """Whether this is a column, not a tag."""
        return name in self.texts or name in self.numbers


_TERM = re.compile(r"^\s*([^=!<>]+?)\s*(!=|<=|>=|=|<|>)\s*([^\s=!<>].*?)\s*$")
_TAG_TEXT = "json_extract_string({tags}, ?)"
_TAG_IS_NUMBER = "json_type({tags}, ?) IN ('UBIGINT', 'BIGINT', 'DOUBLE')"


def parse_filter(tx: Transaction, text: str, *, of: Filtered | None = None) -> Condition:
    """Turn a filter, as `domain.filters` explains it, into a condition on frames, or on whatever `of` says.

    Raises: InvalidInput for a term that does not parse, a name that nothing carries, or terms that contradict.
    """
    about = of or FRAMES
    terms = [_term(term) for term in text.split(",") if term.strip()]
    conditions = [_condition(tx, term, about) for term in terms]
    _require_possible(terms, about)
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


def _condition(tx: Transaction, term: _Term, of: Filtered) -> Condition:
    _require_known(tx, term.name, of)
    if term.operator not in ("=", "!="):
        number = _number(term.value, term.text)
        return _on_rows(tx, term.name, _compared(term.name, term.operator, number, of), of)
    equal = _on_rows(tx, term.name, _equal(term.name, term.alternatives, term.text, of), of)
    return equal if term.operator == "=" else Condition(f"({equal.sql}) IS NOT TRUE", equal.values)


def _require_possible(terms: list[_Term], of: Filtered) -> None:
    """Refuse `=` terms of one name that have no value in common."""
    equal: dict[str, tuple[_Term, set[str | float]]] = {}
    for term in (each for each in terms if each.operator == "="):
        values = {_comparable(term.name, text, of) for text in term.alternatives}
        before, common = equal.get(term.name, (term, values))
        if not common & values:
            either = "|".join([*before.alternatives, *term.alternatives])
            raise InvalidInput(
                f"filter terms {before.text!r} and {term.text!r}: no {of.what} can be both; for either write "
                f"{term.name}={either}"
            )
        equal[term.name] = (term, common & values)


def _comparable(name: str, text: str, of: Filtered) -> str | float:
    return float(text) if name not in of.texts and _is_number(text) else text


def _on_rows(tx: Transaction, name: str, condition: Condition, of: Filtered) -> Condition:
    return condition if of.has_column(name) else of.on_tags(tx, name, condition)


def _on_tag_sets(tx: Transaction, name: str, condition: Condition) -> Condition:
    """Turn a condition on JSON tags into one on frames: read once a tag set, and once a frame for its own tags."""
    in_sets = f"tag_set IN (SELECT tag_set FROM tag_sets WHERE {condition.sql.format(tags='tags')})"
    if tx.execute("SELECT shared FROM tag_names WHERE name = ?", [name]).fetchall() == [(True,)]:
        return Condition(in_sets, condition.values)
    return Condition(f"{in_sets} OR {condition.sql.format(tags='own_tags')}", condition.values * 2)


def _on_own_tags(tx: Transaction, name: str, condition: Condition) -> Condition:
    return Condition(condition.sql.format(tags="tags"), condition.values)


def _scenario_tags(tx: Transaction) -> list[str]:
    rows = tx.execute("SELECT DISTINCT unnest(json_keys(tags)) AS name FROM scenarios ORDER BY name").fetchall()
    return [row[0] for row in rows]


def _compared(name: str, operator: str, number: float, of: Filtered) -> Condition:
    if name in of.numbers:
        return Condition(f"{name} {operator} TRY_CAST(? AS {of.numbers[name]})", (number,))
    if name in of.texts:
        return Condition(f"TRY_CAST({name} AS DOUBLE) {operator} ?", (number,))
    return Condition(f"TRY_CAST({_TAG_TEXT} AS DOUBLE) {operator} ?", (pointer_of(name), number))


def _equal(name: str, alternatives: list[str], term: str, of: Filtered) -> Condition:
    if name in of.numbers:
        mark = f"TRY_CAST(? AS {of.numbers[name]})"
        numbers = [_number(text, term) for text in alternatives]
        return Condition(f"{name} IN ({_marks(numbers, mark)})", tuple(numbers))
    if name in of.texts:
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


def _require_known(tx: Transaction, name: str, of: Filtered) -> None:
    if of.has_column(name):
        return
    tags = of.tag_names(tx)
    if name not in tags:
        known = ", ".join((*of.texts, *of.numbers, *tags))
        raise InvalidInput(f"filter name {name!r}: no {of.what} carries it; known are {known}")


def _number(text: str, term: str) -> float:
    if not _is_number(text):
        raise InvalidInput(f"filter term {term.strip()!r}: needs a number, not {text!r}")
    return float(text)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


FRAMES = Filtered(
    what="frame",
    texts=("frame_id", "dataset", "session_id", "tier"),
    numbers={
        "frame_number": "DOUBLE",
        "timestamp_s": "DOUBLE",
        "width": "DOUBLE",
        "height": "DOUBLE",
        "brightness": "FLOAT",
        "sharpness": "FLOAT",
        "clipped": "FLOAT",
        "latitude": "DOUBLE",
        "longitude": "DOUBLE",
    },
    tag_names=known_tags,
    on_tags=_on_tag_sets,
)

SCENARIOS = Filtered(
    what="scenario",
    texts=("scenario_id", "dataset", "session_id", "name", "origin"),
    numbers=dict.fromkeys(
        ("steps", "agents", "vehicles", "pedestrians", "cyclists", "lights", "stop_signs", "route_m", "driven_m"),
        "DOUBLE",
    ),
    tag_names=_scenario_tags,
    on_tags=_on_own_tags,
)
