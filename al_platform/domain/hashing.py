"""Content hashes: the names of everything the platform keeps."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HASH_CHARACTERS = 40

_LARGEST_WHOLE = 2.0**53
"""Up to here every whole number is a float of its own."""


def hash_bytes(content: bytes) -> str:
    """BLAKE2b of the bytes, 40 hexadecimal characters (160 bits)."""
    return hashlib.blake2b(content, digest_size=HASH_CHARACTERS // 2).hexdigest()


def hash_file(path: Path) -> str:
    """`hash_bytes` of a file, of which little is in memory at a time."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=HASH_CHARACTERS // 2)).hexdigest()


def hash_record(record: object) -> str:
    """Hash of a record by content: dataclasses, mappings (any order), sequences, numbers, strings and None.

    Two records that are equal field by field hash alike in every process and on every machine: 1 as 1.0.
    """
    return hash_bytes(canonical_json(record).encode())


def canonical_json(record: object) -> str:
    """One JSON text for one content: sorted keys, no spaces, whole numbers without a point, NaN refused."""
    return json.dumps(to_plain(record), sort_keys=True, separators=(",", ":"), allow_nan=False)


def to_plain(value: Any) -> Any:
    """The JSON form of a record: dataclasses and mappings become dicts, tuples become lists."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {_text_key(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [to_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_WHOLE:
        return int(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"cannot hash a {type(value).__name__}: use dataclasses, mappings, sequences and scalars")


def _text_key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"cannot hash a mapping with the key {key!r}: keys must be text")
    return key
