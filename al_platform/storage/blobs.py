"""Content-addressed, write-once blobs behind any fsspec URL."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec

from al_platform.domain.data import BlobRef
from al_platform.domain.hashing import hash_bytes
from al_platform.errors import CorruptBlob, NotFound, StorageUnavailable


class BlobStore:
    """Blobs named by the hash of their bytes. Written once, verified at every read, never changed.

    `url` is anything fsspec opens: a folder, `memory://name`, `az://container/prefix` (extra `azure`).
    """

    def __init__(self, url: str) -> None:
        self.url = url
        with _storage_errors(url):
            self._filesystem, self._root = fsspec.core.url_to_fs(url)
        self._local = "file" in _protocols(self._filesystem)

    def put(self, content: bytes, *, media_type: str = "application/octet-stream") -> BlobRef:
        """Store the bytes and give their reference. Storing the same bytes again is free.

        Raises: StorageUnavailable when the store is read-only, full or unreachable.
        """
        reference = BlobRef(hash_bytes(content), len(content), media_type)
        path = self._path(reference.hash)
        with _storage_errors(path):
            if self._filesystem.exists(path):
                return reference
            if self._local:
                write_durably(Path(path), content)
            else:
                self._write_remote(path, content)
        return reference

    def get(self, blob_hash: str) -> bytes:
        """Give the bytes behind a hash, verified.

        Raises: NotFound when the store lacks them, CorruptBlob when they hash to another name.
        """
        path = self._path(blob_hash)
        try:
            with _storage_errors(path):
                content: bytes = self._filesystem.cat_file(path)
        except FileNotFoundError as missing:
            raise NotFound(f"blob {blob_hash}: not in {self.url}") from missing
        if hash_bytes(content) != blob_hash:
            raise CorruptBlob(f"blob {blob_hash} in {self.url}: its bytes hash to {hash_bytes(content)}")
        return content

    def has(self, blob_hash: str) -> bool:
        """Say whether the store holds this blob."""
        path = self._path(blob_hash)
        with _storage_errors(path):
            return bool(self._filesystem.exists(path))

    def _path(self, blob_hash: str) -> str:
        return f"{self._root.rstrip('/')}/{blob_hash[:2]}/{blob_hash}"

    def _write_remote(self, path: str, content: bytes) -> None:
        try:
            self._filesystem.pipe_file(path, content, mode="create")
        except FileExistsError:
            return  # another writer stored the same bytes first


def write_durably(path: Path, content: bytes) -> None:
    """Write a local file so that it is either whole or absent, whatever dies when.

    Temporary name, fsync, rename: readers never see half a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _storage_errors(where: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageUnavailable(
            f"{where}: {reason}. Nothing is lost: free space or make it writable, then run again"
        ) from error
    except (ImportError, ValueError) as error:
        raise StorageUnavailable(f"{where}: {error}") from error


def _protocols(filesystem: fsspec.AbstractFileSystem) -> tuple[str, ...]:
    protocol = filesystem.protocol
    return (protocol,) if isinstance(protocol, str) else tuple(protocol)
