"""Options of an adapter, read and refused where they enter."""

from collections.abc import Sequence
from pathlib import Path

from al_platform.datasets.base import AdapterRequest
from al_platform.errors import InvalidInput


def refuse_unknown_options(request: AdapterRequest, *, adapter: str, accepted: Sequence[str]) -> None:
    """Check that every option is one the adapter accepts.

    Raises: InvalidInput naming the option and the accepted ones.
    """
    for name in request.options:
        if name not in accepted:
            raise InvalidInput(f"option {name}: the {adapter} adapter accepts {', '.join(accepted)}")


def existing_path(request: AdapterRequest, *, adapter: str) -> Path:
    """Give the path of the request.

    Raises: InvalidInput where there is none or nothing lies there.
    """
    if not request.path:
        raise InvalidInput(f"no path: the {adapter} adapter reads files, name where they lie")
    path = Path(request.path)
    if not path.exists():
        raise InvalidInput(f"path {path}: nothing is there; check its spelling and the current folder")
    return path


def whole_number(request: AdapterRequest, name: str, *, default: int, minimum: int) -> int:
    """Give an option as a whole number of at least `minimum`.

    Raises: InvalidInput where it is none.
    """
    text = request.options.get(name, str(default)).strip()
    try:
        value = int(text)
    except ValueError as error:
        raise InvalidInput(f"{name} {text!r}: must be a whole number") from error
    if value < minimum:
        raise InvalidInput(f"{name} {value}: must be at least {minimum}")
    return value


def number_between(request: AdapterRequest, name: str, *, default: float, low: float, high: float) -> float:
    """Give an option as a number of at least `low` and below `high`.

    Raises: InvalidInput where it is none.
    """
    text = request.options.get(name, str(default)).strip()
    try:
        value = float(text)
    except ValueError as error:
        raise InvalidInput(f"{name} {text!r}: must be a number") from error
    if not low <= value < high:
        raise InvalidInput(f"{name} {text}: must be at least {low:g} and below {high:g}")
    return value


def yes_or_no(request: AdapterRequest, name: str, *, default: bool) -> bool:
    """Give an option that is `true` or `false`.

    Raises: InvalidInput where it is neither.
    """
    text = request.options.get(name, str(default)).strip().lower()
    if text not in ("true", "false"):
        raise InvalidInput(f"{name} {text!r}: must be true or false")
    return text == "true"
