"""Records of arrays, all of the same shapes, in immutable files on a local disk that load by memory map."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from al_platform.domain.hashing import canonical_json, hash_bytes, hash_file
from al_platform.errors import CorruptBlob, InvalidInput, NotFound, StorageUnavailable
from al_platform.storage.blobs import durable_file, write_durably

VERSION = 1
DATA_SUFFIX = ".arrays"
MANIFEST_SUFFIX = ".json"
_ALIGNED = 4096
"""Blocks begin at pages, so that mapping one touches no other."""

Array = np.ndarray[Any, np.dtype[Any]]
Arrays = Mapping[str, Array]


@dataclass(frozen=True)
class ArrayRecord:
    """One record: its id, what is said of it (JSON), and its arrays by name."""

    record_id: str
    about: Mapping[str, Any]
    arrays: Arrays


@dataclass(frozen=True)
class Place:
    """Where a record lies: the shard's name, and the row in it."""

    shard: str
    row: int


@dataclass(frozen=True)
class Shard:
    """One file: `arrays` are read-only maps [N, ...] of its records, `ids` and `about` tell them in order."""

    name: str
    layout: str
    ids: tuple[str, ...]
    about: tuple[Mapping[str, Any], ...]
    arrays: Arrays


def write_shard(folder: Path, records: Sequence[ArrayRecord], *, layout: str) -> list[Place]:
    """Write records as one shard, durably, and give where each lies; writing the same again changes nothing.

    `layout` names what the arrays are and how large: shards of one layout can be read together. A shard is a file of
    blocks, one for each name, and a manifest, written after it, whose hash is the name of both: a file without its
    manifest was cut off while being written, and is not there.

    Raises: InvalidInput where the records differ in names, types or shapes; StorageUnavailable when the disk is full
        or read-only.
    """
    blocks = _blocks(records)
    hashed = [
        {"name": name, "dtype": block.dtype.str, "shape": list(block.shape[1:]), "hash": hash_bytes(block.tobytes())}
        for name, block in blocks.items()
    ]
    manifest = {
        "version": VERSION,
        "layout": layout,
        "ids": [record.record_id for record in records],
        "about": [record.about for record in records],
        "leaves": hashed,
    }
    content = canonical_json(manifest).encode()
    name = hash_bytes(content)
    target = folder / f"{name}{MANIFEST_SUFFIX}"
    try:
        if not target.exists():
            _write_blocks(target.with_suffix(DATA_SUFFIX), blocks)
            write_durably(target, content)
    except OSError as error:
        raise StorageUnavailable(
            f"shards {folder}: {error.strerror or error}. What was written before stays: free space or make it "
            "writable, then run again"
        ) from error
    return [Place(name, row) for row in range(len(records))]


def open_shards(folder: Path) -> list[Shard]:
    """Give every whole shard of a folder, by name; no array is read yet.

    Raises: CorruptBlob where a manifest was changed or a file is not as long as it says; StorageUnavailable for one
        that another version wrote.
    """
    return [_open_shard(manifest) for manifest in sorted(folder.glob(f"*{MANIFEST_SUFFIX}"))]


def open_shard(folder: Path, name: str) -> Shard:
    """Give one whole shard of a folder.

    Raises: NotFound where there is none of this name; else as `open_shards`.
    """
    manifest = folder / f"{name}{MANIFEST_SUFFIX}"
    if not manifest.exists():
        raise NotFound(f"shard {name}: not in {folder}; {_MAKE_AGAIN}")
    return _open_shard(manifest)


def faults_of_shards(folder: Path) -> Iterator[str]:
    """Read every byte of a folder's shards and yield what is wrong with them."""
    for manifest in sorted(folder.glob(f"*{MANIFEST_SUFFIX}")):
        try:
            shard, content = _open_shard(manifest), json.loads(manifest.read_bytes())
        except StorageUnavailable as error:
            yield str(error)
            continue
        for leaf in content["leaves"]:
            if hash_bytes(shard.arrays[leaf["name"]].tobytes()) != leaf["hash"]:
                yield f"shard {manifest.with_suffix(DATA_SUFFIX)}: {leaf['name']} was changed; {_MAKE_AGAIN}"


def _blocks(records: Sequence[ArrayRecord]) -> dict[str, Array]:
    if not records:
        raise InvalidInput("no records: a shard holds at least one")
    shapes = [{name: (array.dtype, array.shape) for name, array in record.arrays.items()} for record in records]
    for record, shape in zip(records, shapes, strict=True):
        if shape != shapes[0]:
            raise InvalidInput(f"record {record.record_id}: its arrays differ in name, type or shape from the first's")
    return {name: np.stack([record.arrays[name] for record in records]) for name in records[0].arrays}


def _write_blocks(path: Path, blocks: Mapping[str, Array]) -> None:
    with durable_file(path) as stream:
        for block in blocks.values():
            stream.write(b"\0" * (-stream.tell() % _ALIGNED))
            stream.write(block.tobytes())


def _open_shard(manifest: Path) -> Shard:
    content = _manifest_of(manifest)
    path, count = manifest.with_suffix(DATA_SUFFIX), len(content["ids"])
    leaves = [(leaf["name"], np.dtype(leaf["dtype"]), (count, *leaf["shape"])) for leaf in content["leaves"]]
    sizes = [prod(shape) * dtype.itemsize for _, dtype, shape in leaves]
    padded = [size + (-size % _ALIGNED) for size in sizes[:-1]]
    starts = list(accumulate(padded, initial=0))
    expected, found = starts[-1] + sizes[-1], path.stat().st_size if path.exists() else 0
    if found != expected:
        raise CorruptBlob(f"shard {path}: {found} bytes, its manifest says {expected}; {_MAKE_AGAIN}")
    bytes_ = np.memmap(path, np.uint8, mode="r")
    arrays = {
        name: bytes_[start : start + size].view(dtype).reshape(shape)
        for (name, dtype, shape), start, size in zip(leaves, starts, sizes, strict=True)
    }
    return Shard(manifest.stem, content["layout"], tuple(content["ids"]), tuple(content["about"]), arrays)


def _manifest_of(path: Path) -> dict[str, Any]:
    try:
        if hash_file(path) != path.stem:
            raise CorruptBlob(f"manifest {path}: its bytes hash to another name; {_MAKE_AGAIN}")
        content: dict[str, Any] = json.loads(path.read_bytes())
    except OSError as error:
        raise StorageUnavailable(f"manifest {path}: {error.strerror or error}") from error
    if content["version"] != VERSION:
        raise StorageUnavailable(
            f"manifest {path}: version {content['version']}, this platform reads {VERSION}; {_MAKE_AGAIN}"
        )
    return content


_MAKE_AGAIN = "delete it, then ingest again with --again"
