"""Records of fixed size cached by key: features, presence maps, counts. Losing the cache costs only time."""

import threading
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.errors import StorageUnavailable
from al_platform.storage.blobs import durable_file, write_durably


class RecordCache:
    """An append-only local cache of arrays of one shape and type, read by memory map.

    A shard is an `.npy` file and, written after it, an `.ids` file that lists its keys: a shard without its
    list was cut off while being written, and is not there. Several processes and threads may add at once.
    """

    def __init__(self, folder: Path, *, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._folder = folder
        self._shape = shape
        self._dtype = dtype
        self._adding = threading.Lock()
        self._shards: list[NDArray[Any]] = []
        self._places: dict[str, tuple[int, int]] = {}
        for listing in sorted(folder.glob("*.ids")):
            self._open_shard(listing)

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Give the keys that are not cached, each once, in the order asked for."""
        return [key for key in dict.fromkeys(keys) if key not in self._places]

    def add(self, keys: Sequence[str], records: NDArray[Any]) -> None:
        """Append records [N, *shape], durably. Keys that are there already are not written again.

        Raises: StorageUnavailable when the disk is full or read-only; ValueError for records of another
            shape or type.
        """
        if records.shape != (len(keys), *self._shape) or records.dtype != self._dtype:
            raise ValueError(
                f"{len(keys)} records of {records.dtype}{records.shape}: the cache holds "
                f"{self._dtype}{self._shape} a record"
            )
        places = {key: row for row, key in reversed(list(enumerate(keys)))}
        with self._adding:
            fresh = self.missing(keys)
            if not fresh:
                return
            name = uuid.uuid4().hex
            try:
                self._write_shard(name, fresh, records[[places[key] for key in fresh]])
            except OSError as error:
                raise StorageUnavailable(
                    f"cache {self._folder}: {error.strerror or error}. "
                    "Only time is lost: free space or make it writable, then run again"
                ) from error
            self._open_shard(self._folder / f"{name}.ids")

    def take(self, keys: Sequence[str]) -> NDArray[Any]:
        """Gather the records of these keys, [len(keys), *shape].

        Raises: KeyError where a key is not cached.
        """
        gathered = np.empty((len(keys), *self._shape), self._dtype)
        places = np.array([self._places[key] for key in keys], np.int64).reshape(len(keys), 2)
        for shard in np.unique(places[:, 0]):
            rows = np.flatnonzero(places[:, 0] == shard)
            gathered[rows] = self._shards[shard][places[rows, 1]]
        return gathered

    def _write_shard(self, name: str, keys: Sequence[str], records: NDArray[Any]) -> None:
        with durable_file(self._folder / f"{name}.npy") as stream:
            np.save(stream, np.ascontiguousarray(records))
        write_durably(self._folder / f"{name}.ids", "\n".join(keys).encode())

    def _open_shard(self, listing: Path) -> None:
        try:
            keys = listing.read_bytes().decode().split("\n")
            records = np.load(listing.with_suffix(".npy"), mmap_mode="r")
        except (FileNotFoundError, EOFError, ValueError):
            return  # torn by a crash or by hand: computed again when asked for
        if records.shape != (len(keys), *self._shape) or records.dtype != self._dtype:
            return
        shard = len(self._shards)
        self._shards.append(records)  # first: whoever finds a place finds its shard
        self._places.update({key: (shard, row) for row, key in enumerate(keys)})


class RecordCaches:
    """The caches below one folder. Each is opened once a process: its list of shards grows with every round."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[tuple[str, ...], RecordCache] = {}
        self._gathered: tuple[str, NDArray[Any]] | None = None

    def cache(self, *name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> RecordCache:
        """Give the cache of this name, a path below the folder."""
        if name not in self._open:
            self._open[name] = RecordCache(self.folder.joinpath(*name), shape=shape, dtype=dtype)
        return self._open[name]

    def gathered(self, name: str) -> NDArray[Any] | None:
        """Give the records that were last kept, if it was under this name: gathering a million takes seconds."""
        kept = self._gathered
        return kept[1] if kept is not None and kept[0] == name else None

    def keep_gathered(self, name: str, records: NDArray[Any]) -> None:
        """Keep records that were gathered, in the place of those before; the name tells their content."""
        self._gathered = name, records

    def forget(self) -> None:
        """Open every cache anew when it is next asked for: another process added to it."""
        self._open.clear()
