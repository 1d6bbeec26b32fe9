"""Samples by key in immutable ArrayRecord files on a local disk: what a training reads at random."""

import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from array_record.python import array_record_module

from al_platform.domain.hashing import canonical_json, hash_bytes
from al_platform.errors import CorruptBlob, InvalidInput, NotFound, StorageUnavailable
from al_platform.storage.blobs import sync_to_disk, write_durably

MANIFEST_VERSION = 1
SHARD_SUFFIX = ".arrayrecord"
MANIFEST_SUFFIX = ".json"

_WRITER_OPTIONS = "group_size:1,uncompressed"
"""A record a chunk, so that one is read without its neighbours; pictures do not compress again."""

_READER_OPTIONS = "readahead_buffer_size:0"
"""What lies behind a record is of no use to a reader who jumps."""

_OPEN_READERS = 128
"""Each holds a file open; macOS allows a process 256 where nobody raised it."""


class Shards:
    """An append-only set of samples, bytes by key. Several processes may add and read at once.

    A shard is an ArrayRecord file named by the hash of its bytes and, written after it, a manifest that lists
    its keys in order and its size: a shard without a manifest was cut off while being written, and is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[str, tuple[str, int]] = {}
        self._damaged: dict[str, str] = {}
        self._reader = lru_cache(maxsize=_OPEN_READERS)(self._open_reader)
        self.size_bytes = 0
        for manifest in sorted(folder.glob(f"*{MANIFEST_SUFFIX}")):
            self._open_shard(manifest)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def missing(self, keys: Iterable[str]) -> list[str]:
        """Give the keys that no whole shard holds, each once, in the order asked for."""
        return [key for key in dict.fromkeys(keys) if key not in self._places]

    def add(self, keys: Sequence[str], samples: Sequence[bytes]) -> None:
        """Write one more shard, durably; keys that are there already are not written again.

        Raises: InvalidInput where keys and samples differ in number; StorageUnavailable when the disk is full
            or read-only.
        """
        if len(keys) != len(samples):
            raise InvalidInput(f"{len(keys)} keys for {len(samples)} samples: give each sample its key")
        fresh = [(key, sample) for key, sample in dict(zip(keys, samples, strict=True)).items() if key not in self]
        if not fresh:
            return
        with _disk_errors(self._folder):
            shard = self._write_shard([sample for _, sample in fresh])
            content = {
                "version": MANIFEST_VERSION,
                "size": shard.stat().st_size,
                "keys": [key for key, _ in fresh],
            }
            manifest = shard.with_suffix(MANIFEST_SUFFIX)
            write_durably(manifest, canonical_json(content).encode())
        self._open_shard(manifest)

    def read(self, keys: Sequence[str]) -> list[bytes]:
        """Give the samples of these keys, in their order.

        Raises: NotFound for a key that no shard holds; CorruptBlob where its shard was cut short or changed.
        """
        by_shard: dict[str, list[int]] = {}
        for position, key in enumerate(keys):
            by_shard.setdefault(self._place(key)[0], []).append(position)
        samples = [b""] * len(keys)
        for shard, positions in by_shard.items():
            found = self._read_shard(shard, [self._places[keys[position]][1] for position in positions])
            for position, sample in zip(positions, found, strict=True):
                samples[position] = sample
        return samples

    def _place(self, key: str) -> tuple[str, int]:
        if key in self._places:
            return self._places[key]
        if key in self._damaged:
            raise CorruptBlob(self._damaged[key])
        raise NotFound(f"sample {key}: not in the shards of {self._folder}; make them with `alp tier hot`")

    def _write_shard(self, samples: Sequence[bytes]) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        temporary = self._folder / f".{uuid.uuid4().hex}"
        try:
            writer = array_record_module.ArrayRecordWriter(str(temporary), _WRITER_OPTIONS)
            for sample in samples:
                writer.write(sample)
            writer.close()
            sync_to_disk(temporary)
            shard = self._folder / f"{hash_bytes(temporary.read_bytes())}{SHARD_SUFFIX}"
            temporary.replace(shard)
            sync_to_disk(self._folder)
        finally:
            temporary.unlink(missing_ok=True)
        return shard

    def _open_shard(self, manifest: Path) -> None:
        content = _read_manifest(manifest)
        shard = manifest.with_suffix(SHARD_SUFFIX)
        size = shard.stat().st_size if shard.exists() else 0
        if size != content["size"]:
            reason = f"shard {shard}: {size} bytes, its manifest says {content['size']}; {_MAKE_AGAIN}"
            self._damaged.update(dict.fromkeys(content["keys"], reason))
            return
        self.size_bytes += size
        self._places.update({key: (shard.name, row) for row, key in enumerate(content["keys"])})

    def _open_reader(self, shard: str) -> array_record_module.ArrayRecordReader:
        return array_record_module.ArrayRecordReader(str(self._folder / shard), _READER_OPTIONS)

    def _read_shard(self, shard: str, rows: Sequence[int]) -> list[bytes]:
        try:
            found: list[bytes] = self._reader(shard).read(rows)
        except RuntimeError as error:  # the only kind that ArrayRecord raises
            raise CorruptBlob(f"shard {self._folder / shard}: {error}; {_MAKE_AGAIN}") from error
        return found


_MAKE_AGAIN = "`alp tier drop` and `alp tier hot` make it again"


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
    except ValueError as error:
        raise CorruptBlob(f"manifest {path}: is no JSON ({error}); {_MAKE_AGAIN}") from error
    found = content.get("version") if isinstance(content, dict) else None
    if found != MANIFEST_VERSION:
        raise StorageUnavailable(
            f"manifest {path}: version {found}, this platform reads {MANIFEST_VERSION}; {_MAKE_AGAIN}"
        )
    return content


@contextmanager
def _disk_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # ArrayRecord tells of a full disk by a RuntimeError
        raise StorageUnavailable(
            f"shards {folder}: {error}. What was written before stays: free space or make it writable, then run again"
        ) from error
