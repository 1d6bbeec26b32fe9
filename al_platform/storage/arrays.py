"""Records of arrays, all of the same shapes, in immutable files that load by memory map.

They are written to a local disk; a copy of them anywhere else is read by `remote_arrays`.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from al_platform.domain.hashing import canonical_json, hash_bytes
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
    path: str
    layout: str
    ids: tuple[str, ...]
    about: tuple[Mapping[str, Any], ...]
    arrays: Arrays


@dataclass(frozen=True)
class DamagedShard:
    """A shard that cannot be read, why, and what it held; no ids where that cannot be known any more."""

    name: str
    ids: tuple[str, ...]
    reason: str
    """Names the file and the cure."""


@dataclass(frozen=True)
class OpenedShards:
    """What was found in a place: damage to one shard takes nothing from the others."""

    whole: tuple[Shard, ...]
    damaged: tuple[DamagedShard, ...]


@dataclass(frozen=True)
class Block:
    """One array of all records of a shard, and where its bytes lie in the file."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int
    size: int
    hash: str

    def of(self, content: Array) -> Array:
        """Give the array of these bytes."""
        array: Array = content.view(self.dtype).reshape(self.shape)
        return array


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


def open_shards(folder: Path) -> OpenedShards:
    """Give the shards of a folder, by name; no array is read yet."""
    return sorted_out(_open_shard(manifest) for manifest in sorted(folder.glob(f"*{MANIFEST_SUFFIX}")))


def open_shard(folder: Path, name: str) -> Shard:
    """Give one whole shard of a folder.

    Raises: NotFound where there is none of this name; CorruptBlob where it is damaged.
    """
    manifest = folder / f"{name}{MANIFEST_SUFFIX}"
    if not manifest.exists():
        raise NotFound(f"shard {name}: not in {folder}; {MAKE_AGAIN}")
    opened = _open_shard(manifest)
    if isinstance(opened, DamagedShard):
        raise CorruptBlob(opened.reason)
    return opened


def sorted_out(opened: Iterable[Shard | DamagedShard]) -> OpenedShards:
    """Give whole shards and damaged ones apart."""
    shards = list(opened)
    return OpenedShards(
        whole=tuple(shard for shard in shards if isinstance(shard, Shard)),
        damaged=tuple(shard for shard in shards if isinstance(shard, DamagedShard)),
    )


def faults_of_shards(folder: Path, *, id_of: Callable[[Arrays], str]) -> Iterator[str]:
    """Read every byte of a folder's shards and yield what is wrong with them.

    `id_of` gives the id of a record by its arrays: it tells which records a change has hit.
    """
    shards = open_shards(folder)
    yield from (damaged.reason for damaged in shards.damaged)
    for shard in shards.whole:
        content = json.loads((folder / f"{shard.name}{MANIFEST_SUFFIX}").read_bytes())
        changed = [
            leaf["name"]
            for leaf in content["leaves"]
            if hash_bytes(shard.arrays[leaf["name"]].tobytes()) != leaf["hash"]
        ]
        if not changed:
            continue
        for row, record_id in enumerate(shard.ids):
            if id_of(record_of(shard, row)) != record_id:
                yield f"shard {shard.path}: record {record_id} was changed in {', '.join(changed)}; {MAKE_AGAIN}"


def record_of(shard: Shard, row: int) -> dict[str, Array]:
    """Give the arrays of one record: views, nothing is copied."""
    return {name: block[row, ...] for name, block in shard.arrays.items()}


def blocks_of(content: Mapping[str, Any]) -> list[Block]:
    """Give where the arrays lie that a manifest tells of."""
    blocks, end = [], 0
    for leaf in content["leaves"]:
        dtype, shape = np.dtype(leaf["dtype"]), (len(content["ids"]), *leaf["shape"])
        start, size = end + (-end % _ALIGNED), prod(shape) * dtype.itemsize
        blocks.append(Block(leaf["name"], dtype, shape, start, size, leaf["hash"]))
        end = start + size
    return blocks


def manifest_content(content: bytes, *, name: str, where: str) -> dict[str, Any]:
    """Give what a manifest says.

    Raises: CorruptBlob where its bytes do not hash to its name; StorageUnavailable where another version wrote it.
    """
    if hash_bytes(content) != name:
        raise CorruptBlob(f"manifest {where}: its bytes hash to another name; {MAKE_AGAIN}")
    said: dict[str, Any] = json.loads(content)
    if said["version"] != VERSION:
        raise StorageUnavailable(
            f"manifest {where}: version {said['version']}, this platform reads {VERSION}; {MAKE_AGAIN}"
        )
    return said


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


def _open_shard(manifest: Path) -> Shard | DamagedShard:
    path = manifest.with_suffix(DATA_SUFFIX)
    try:
        content = manifest_content(manifest.read_bytes(), name=manifest.stem, where=str(manifest))
    except OSError as error:
        return DamagedShard(manifest.stem, (), f"manifest {manifest}: {error.strerror or error}")
    except StorageUnavailable as error:
        return DamagedShard(manifest.stem, (), str(error))
    blocks, ids = blocks_of(content), tuple(content["ids"])
    expected, found = blocks[-1].start + blocks[-1].size, path.stat().st_size if path.exists() else 0
    if found != expected:
        reason = f"shard {path}: {found} bytes, its manifest says {expected}; {MAKE_AGAIN}"
        return DamagedShard(manifest.stem, ids, reason)
    bytes_ = np.memmap(path, np.uint8, mode="r")
    arrays = {block.name: block.of(bytes_[block.start : block.start + block.size]) for block in blocks}
    return Shard(manifest.stem, str(path), content["layout"], ids, tuple(content["about"]), arrays)


MAKE_AGAIN = "delete it, then ingest again with --again"
