"""What the values of a mask mean: tables of known datasets, and `classes.json` for all others."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from al_platform.errors import InvalidInput

MASK_VALUES = 256
EXAMPLE = '{"values": {"0": "background", "9": "pedestrian"}, "ignore": [255], "classes": ["pedestrian"]}'


@dataclass(frozen=True)
class MaskTable:
    """Mask value to class name, the values whose pixels are unknown, and the classes that were annotated.

    A value named here whose name is no class is known background.
    """

    values: Mapping[int, str]
    ignore: tuple[int, ...]
    classes: tuple[str, ...]

    def known_values(self) -> frozenset[int]:
        """Every value that a mask of this table may hold."""
        return frozenset(self.values) | frozenset(self.ignore)


def _complete(names: tuple[str, ...], *, ignore: int) -> MaskTable:
    """Table of a dataset that marks every pixel: the values 0, 1, 2, ... in the order of the names."""
    return MaskTable(MappingProxyType(dict(enumerate(names))), (ignore,), names)


KNOWN_TABLES: Mapping[str, MaskTable] = MappingProxyType(
    {
        "camvid": _complete(
            (
                "sky",
                "building",
                "pole",
                "road",
                "pavement",
                "tree",
                "sign",
                "fence",
                "vehicle",
                "pedestrian",
                "bicyclist",
            ),
            ignore=11,
        ),
        "idd_lite": _complete(
            ("drivable", "non_drivable", "living", "vehicle", "roadside_object", "far_object", "sky"),
            ignore=255,
        ),
    }
)
"""CamVid in the 11 classes of the SegNet paper; IDD Lite, where `living` holds persons and riders and
`vehicle` also holds motorcycles and bicycles, which CamVid's `vehicle` does not."""


def read_mask_table(path: Path) -> MaskTable:
    """Read a `classes.json`: `values` (value to name); optional `ignore` (values) and `classes` (names).

    Without `classes`, every name in `values` was annotated, except `background`.
    Raises: InvalidInput where the file is no such table, with an example.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{path}: not readable as JSON ({error}); for example {EXAMPLE}") from error
    if not isinstance(content, dict) or not isinstance(content.get("values"), dict):
        raise InvalidInput(f"{path}: needs an object `values`, for example {EXAMPLE}")
    values = {_mask_value(key, path=path): str(name) for key, name in content["values"].items()}
    ignore = tuple(_mask_value(value, path=path) for value in _listed(content, "ignore", path=path))
    named = dict.fromkeys(name for value, name in values.items() if value not in ignore)
    classes = tuple(str(name) for name in _listed(content, "classes", path=path))
    strangers = [name for name in classes if name not in named]
    if strangers:
        raise InvalidInput(f"{path}: class {', '.join(strangers)} has no mask value; name it in `values`")
    return MaskTable(values, ignore, classes or tuple(name for name in named if name != "background"))


def _listed(content: Mapping[str, Any], key: str, *, path: Path) -> list[Any]:
    found = content.get(key, [])
    if not isinstance(found, list):
        raise InvalidInput(f"{path}: `{key}` must be a list, for example {EXAMPLE}")
    return found


def _mask_value(value: object, *, path: Path) -> int:
    text = str(value)
    if not (text.isascii() and text.isdigit() and int(text) < MASK_VALUES):
        raise InvalidInput(f"{path}: mask value {text!r} must be a whole number from 0 to {MASK_VALUES - 1}")
    return int(text)
