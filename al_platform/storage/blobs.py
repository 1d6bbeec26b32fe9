"""Content-addressed, write-once blobs behind any fsspec URL."""

import os
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

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
        self._filesystem, self._root = filesystem_at(url)

    @property
    def is_local(self) -> bool:
        """Whether the blobs are files of this machine."""
        return is_local(self._filesystem)

    def put(self, content: bytes, *, media_type: str = "application/octet-stream") -> BlobRef:
        """Store the bytes and give their reference. Storing the same bytes again is free.

        Raises: StorageUnavailable when the store is read-only, full or unreachable.
        """
        reference = BlobRef(hash_bytes(content), len(content), media_type)
        path = self._path(reference.hash)
        with storage_errors(path):
            write_once(self._filesystem, path, content)
        return reference

    def get(self, blob_hash: str) -> bytes:
        """Give the bytes behind a hash, verified.

        Raises: NotFound when the store lacks them, CorruptBlob when they hash to another name.
        """
        path = self._path(blob_hash)
        try:
            with storage_errors(path):
                content: bytes = self._filesystem.cat_file(path)
        except FileNotFoundError as missing:
            raise NotFound(f"blob {blob_hash}: not in {self.url}") from missing
        if hash_bytes(content) != blob_hash:
            raise CorruptBlob(
                f"blob {blob_hash} in {self.url}: its bytes hash to {hash_bytes(content)}; "
                "delete it, then run again what stored it"
            )
        return content

    def open(self, blob_hash: str) -> BinaryIO:
        """Give a seekable stream of a blob that is too large to be read whole; its bytes are not verified.

        Raises: NotFound when the store lacks it.
        """
        path = self._path(blob_hash)
        try:
            with storage_errors(path):
                stream: BinaryIO = self._filesystem.open(path, "rb")
        except FileNotFoundError as missing:
            raise NotFound(f"blob {blob_hash}: not in {self.url}") from missing
        return stream

    def has(self, blob_hash: str) -> bool:
        """Say whether the store holds this blob."""
        path = self._path(blob_hash)
        with storage_errors(path):
            return bool(self._filesystem.exists(path))

    def _path(self, blob_hash: str) -> str:
        return f"{self._root.rstrip('/')}/{blob_hash[:2]}/{blob_hash}"


def filesystem_at(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """Give the file system behind a URL and the path in it; no listing is kept, for others write there too.

    Raises: StorageUnavailable for a URL that nothing opens.
    """
    with storage_errors(url):
        filesystem, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
    return filesystem, path


def is_local(filesystem: fsspec.AbstractFileSystem) -> bool:
    """Say whether the files are those of this machine."""
    protocol = filesystem.protocol
    return "file" in ((protocol,) if isinstance(protocol, str) else tuple(protocol))


def write_once(filesystem: fsspec.AbstractFileSystem, path: str, content: bytes) -> None:
    """Write a file under a name that only these bytes can have; where it is already, nothing is written."""
    if filesystem.exists(path):
        return
    if is_local(filesystem):
        write_durably(Path(path), content)
        return
    try:
        filesystem.pipe_file(path, content, mode="create")
    except FileExistsError:
        return  # another writer stored the same bytes first


def write_durably(path: Path, content: bytes) -> None:
    """Write a local file so that the old or the new one is there, whole, whatever dies when."""
    with durable_file(path) as stream:
        stream.write(content)


@contextmanager
def durable_file(path: Path) -> Iterator[BinaryIO]:
    """Give a stream whose content takes the place of a local file at the end, all at once or not at all.

    Temporary name, fsync, rename, fsync of the folder: readers never see half a file, nor does a power cut.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
        sync_to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def storage_errors(where: str) -> Iterator[None]:
    """Turn what a file system raises into StorageUnavailable, naming the path; a missing file stays one."""
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
    except _azure_errors() as error:
        raise StorageUnavailable(
            f"{where}: {str(error).splitlines()[0]} Nothing is lost: see that the account answers and the container "
            "is there (its name has 3 characters or more), then run again"
        ) from error


def sync_to_disk(path: Path) -> None:
    """Return when the content of a local file, or the names in a local folder, would survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _azure_errors() -> tuple[type[Exception], ...]:
    """What the Azure libraries raise, which is no OSError; nothing where they were never imported."""
    module = sys.modules.get("azure.core.exceptions")
    return (module.AzureError,) if module else ()
