"""A recipe of driving policies as a file."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from al_platform.domain.hashing import to_plain
from al_platform.domain.policies import PolicySpec
from al_platform.domain.records import record_from_json
from al_platform.errors import InvalidInput


def read_recipe(path: Path) -> PolicySpec:
    """Give the recipe in a JSON file; what it leaves out is as by default.

    Raises: InvalidInput for a file that cannot be read or is no such recipe, or a name that recipes do not have.
    """
    try:
        text = path.read_text()
        given = json.loads(text)
        recipe = record_from_json(PolicySpec, text)
    except OSError as error:
        raise InvalidInput(f"recipe {path}: cannot be read ({error.strerror}); name a JSON file") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"recipe {path}: {place}{': ' if place else ''}{first['msg']}") from None
    except ValueError as error:
        raise InvalidInput(
            f'recipe {path}: {error}; write JSON, for example {{"members": 3, "cloning": {{}}}}'
        ) from None
    unknown = next(_unknown(given, to_plain(recipe)), None)
    if unknown is not None:
        name, known = unknown
        raise InvalidInput(f"recipe {path}: {name}: not known; known are {', '.join(sorted(known))}")
    return recipe


def _unknown(given: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Names that a record does not have, each beside those that it has."""
    for name, value in given.items():
        if name not in known:
            yield name, known
        elif isinstance(value, dict):
            yield from _unknown(value, known[name])
