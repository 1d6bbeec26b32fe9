"""Shards of arrays that lie behind any fsspec URL: what is read of them is kept and mapped from a local disk."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import fsspec

from al_platform.domain.hashing import hash_bytes
from al_platform.errors import CorruptBlob, NotFound, StorageUnavailable
from al_platform.storage.arrays import (
    DATA_SUFFIX,
    MAKE_AGAIN,
    MANIFEST_SUFFIX,
    Array,
    Block,
    DamagedShard,
    OpenedShards,
    Shard,
    blocks_of,
    manifest_content,
    sorted_out,
)
from al_platform.storage.blobs import filesystem_at, storage_errors
from al_platform.storage.cache import BlobCache


def open_remote_shards(url: str, folder: Path, *, limit_bytes: int) -> OpenedShards:
    """Give the shards at a URL, by name. A block is fetched when it is first read, verified, and kept in the folder.

    Raises: NotFound where nothing is there; StorageUnavailable when the store cannot be reached.
    """
    filesystem, root = filesystem_at(url)
    with storage_errors(url):
        try:
            names = [str(path) for path in filesystem.ls(root, detail=False, refresh=True)]
        except FileNotFoundError as missing:
            raise NotFound(f"{url}: no shards there; copy a folder of them to it") from missing
        sizes = {name: filesystem.size(name) for name in names if name.endswith(DATA_SUFFIX)}
    return sorted_out(
        _open_shard(filesystem, path, sizes, folder=folder, limit_bytes=limit_bytes)
        for path in sorted(names)
        if path.endswith(MANIFEST_SUFFIX)
    )


def _open_shard(
    filesystem: fsspec.AbstractFileSystem, manifest: str, sizes: Mapping[str, int], *, folder: Path, limit_bytes: int
) -> Shard | DamagedShard:
    stem = manifest.removesuffix(MANIFEST_SUFFIX)
    name, path = stem.rsplit("/", 1)[-1], f"{stem}{DATA_SUFFIX}"
    with storage_errors(manifest):
        written: bytes = filesystem.cat_file(manifest)
    try:
        content = manifest_content(written, name=name, where=manifest)
    except StorageUnavailable as error:
        return DamagedShard(name, (), str(error))
    blocks, ids = blocks_of(content), tuple(content["ids"])
    expected, found = blocks[-1].start + blocks[-1].size, sizes.get(path, 0)
    if found != expected:
        return DamagedShard(name, ids, f"shard {path}: {found} bytes, its manifest says {expected}; {MAKE_AGAIN}")
    arrays = _FetchedArrays(
        {block.name: block for block in blocks},
        BlobCache(_Blocks(filesystem, path, blocks), folder, limit_bytes=limit_bytes),
    )
    return Shard(name, path, content["layout"], ids, tuple(content["about"]), arrays)


class _Blocks:
    """The blocks of one file by the hash of their bytes."""

    def __init__(self, filesystem: fsspec.AbstractFileSystem, path: str, blocks: list[Block]) -> None:
        self._filesystem = filesystem
        self._path = path
        self._blocks = {block.hash: block for block in blocks}

    def get(self, blob_hash: str) -> bytes:
        block = self._blocks[blob_hash]
        if not block.size:
            return b""
        with storage_errors(self._path):
            content: bytes = self._filesystem.cat_file(self._path, start=block.start, end=block.start + block.size)
        if hash_bytes(content) != blob_hash:
            raise CorruptBlob(f"shard {self._path}: {block.name} was changed; {MAKE_AGAIN}")
        return content


class _FetchedArrays(Mapping[str, Array]):
    """Arrays by name, each fetched when it is asked for and then mapped."""

    def __init__(self, blocks: Mapping[str, Block], cache: BlobCache) -> None:
        self._blocks = blocks
        self._cache = cache
        self._arrays: dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        if name not in self._arrays:
            block = self._blocks[name]
            self._arrays[name] = block.of(self._cache.mapped(block.hash))
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._blocks)

    def __len__(self) -> int:
        return len(self._blocks)
