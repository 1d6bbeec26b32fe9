"""Blobs of a slow store kept on a local disk, up to a size."""

import os
import threading
import time
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from al_platform.domain.hashing import hash_bytes
from al_platform.errors import InvalidInput, StorageUnavailable
from al_platform.storage.blobs import BlobStore

PARTITIONS = 256

_FILLED_TO = 7 / 8
"""A partition is emptied down to this share of its limit, so that not every write has to empty it."""

_USED_NOW_NS = 600 * 10**9
"""A file that was marked as used less than ten minutes ago is not marked again: it would halve the rate of hits."""

_COUNT_AGAIN = 1 / 16
"""After writing this share of its limit a process counts a partition anew: other processes write there too."""


@runtime_checkable
class BlobReader(Protocol):
    """Whatever gives the bytes behind a hash, verified."""

    def get(self, blob_hash: str) -> bytes:
        """Give the bytes; raises NotFound, CorruptBlob, StorageUnavailable."""


def cached(blobs: BlobStore, folder: Path, *, limit_bytes: int) -> BlobReader:
    """Give a reader of these blobs that keeps them in a folder, or the store itself where it is local anyway."""
    return blobs if blobs.is_local else BlobCache(blobs, folder, limit_bytes=limit_bytes)


class BlobCache:
    """A folder of blobs in front of a store, dealt into partitions by their hash. Safe with several processes.

    Every read is verified, so a file that a crash or a hand cut short counts as missing and is fetched again;
    writing therefore needs no fsync. Where a partition grows beyond its share of the limit, what was longest
    unused is deleted. Threads of a process keep to the limit together; each further process that shares the folder
    may exceed it by a sixteenth and the files that it is writing.
    """

    def __init__(self, blobs: BlobReader, folder: Path, *, limit_bytes: int, partitions: int = PARTITIONS) -> None:
        if limit_bytes < partitions:
            raise InvalidInput(f"cache limit of {limit_bytes} bytes: must be at least {partitions}, better gigabytes")
        self._blobs = blobs
        self._folder = folder
        self._limit = limit_bytes // partitions
        self._partitions = partitions
        self._counted: dict[str, int] = {}
        self._written: dict[str, int] = {}
        self._arriving: dict[str, int] = {}
        self._counting = threading.Lock()

    def get(self, blob_hash: str) -> bytes:
        """Give the bytes behind a hash, verified, from the folder where they are whole, else from the store.

        Raises: NotFound or CorruptBlob as the store does; StorageUnavailable when the store or the folder cannot
            be used.
        """
        path = self._path(blob_hash)
        with self._disk_errors():
            content = _read(path)
        if content is not None and hash_bytes(content) == blob_hash:
            return content
        content = self._blobs.get(blob_hash)
        if len(content) <= self._limit:
            with self._disk_errors():
                self._keep(path, content)
        return content

    def mapped(self, blob_hash: str) -> NDArray[np.uint8]:
        """Give the bytes as a read-only map of the file that keeps them, or in memory where there was no room for it.

        A map outlives the file: what is deleted to make room stays readable. Raises: as `get`.
        """
        content = self.get(blob_hash)
        try:
            return np.memmap(self._path(blob_hash), np.uint8, mode="r", shape=len(content))
        except (FileNotFoundError, ValueError):  # not kept; an empty file cannot be mapped
            return np.frombuffer(content, np.uint8)

    def _path(self, blob_hash: str) -> Path:
        partition = zlib.crc32(blob_hash.encode()) % self._partitions
        return self._folder / f"{partition:04x}" / blob_hash

    def _keep(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not self._reserve(path.parent, len(content)):
            return
        temporary = path.with_name(f".{uuid.uuid4().hex}")
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        except FileNotFoundError:
            return  # another process needed the room
        finally:
            temporary.unlink(missing_ok=True)
            with self._counting:
                self._arriving[path.parent.name] -= len(content)

    def _reserve(self, partition: Path, size: int) -> bool:
        """Make room for a file and keep it for the one that writes; False where other writers hold all of it."""
        name = partition.name
        with self._counting:
            self._written[name] = self._written.get(name, 0) + size
            counted = self._counted.get(name)
            if counted is None or counted + size > self._limit or self._written[name] > self._limit * _COUNT_AGAIN:
                arriving = self._arriving.get(name, 0)
                counted = arriving + self._evict(partition, size + arriving)
                self._written[name] = 0
            fits = counted + size <= self._limit
            self._counted[name] = counted + size * fits
            self._arriving[name] = self._arriving.get(name, 0) + size * fits
        return fits

    def _evict(self, partition: Path, size: int) -> int:
        """Delete what was longest unused until `size` more bytes fit; gives the bytes that stay.

        A file that arrives just now may be counted on the disk as well as in `size`: room is wasted, never lacking.
        """
        files = sorted(_files(partition))
        total = sum(length for _, length, _ in files)
        if total + size <= self._limit:
            return total
        for _, length, path in files:
            if total + size <= self._limit * _FILLED_TO:
                break
            path.unlink(missing_ok=True)
            total -= length
        return total

    @contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StorageUnavailable(
                f"cache {self._folder}: {error.strerror or error}. Only time is lost: free space, make it writable, or "
                f"lower the limit of {self._limit * self._partitions} bytes (ALP_CACHE_GB), then run again"
            ) from error


def _read(path: Path) -> bytes | None:
    """Give the content of a file and mark it as used now; None where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        facts, now = os.fstat(descriptor), time.time_ns()
        if now - facts.st_mtime_ns > _USED_NOW_NS:
            os.utime(descriptor, ns=(now, now))
        return os.read(descriptor, facts.st_size)
    finally:
        os.close(descriptor)


def _files(partition: Path) -> Iterator[tuple[int, int, Path]]:
    """Yield when each file was last used, its size and its path; one that another process deletes is passed over.

    What a killed process left under a temporary name is among them, and goes in its turn.
    """
    with os.scandir(partition) as entries:
        for entry in entries:
            try:
                facts = entry.stat()
            except FileNotFoundError:
                continue
            yield facts.st_mtime_ns, facts.st_size, Path(entry.path)
