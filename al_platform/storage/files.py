"""Files with names of our choosing below a folder of the storage: written once, whole or not at all."""

from pathlib import Path
from typing import Any

from al_platform.errors import NotFound
from al_platform.storage.blobs import filesystem_at, is_local, storage_errors, write_once


class NamedFiles:
    """Write-once files below `url`, a folder or whatever else fsspec opens. Names may hold slashes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._filesystem, self._root = filesystem_at(url)

    def write(self, name: str, content: bytes) -> None:
        """Store a file; where one of this name is already, nothing is written.

        Raises: StorageUnavailable when the store is read-only, full or unreachable.
        """
        with storage_errors(self.path(name)):
            write_once(self._filesystem, self.path(name), content)

    def read(self, name: str) -> bytes:
        """Give the bytes of a file.

        Raises: NotFound where there is none of this name.
        """
        try:
            with storage_errors(self.path(name)):
                content: bytes = self._filesystem.cat_file(self.path(name))
        except FileNotFoundError as missing:
            raise NotFound(f"{self.path(name)}: not in storage") from missing
        return content

    def size(self, name: str) -> int | None:
        """Give the bytes of a file as its listing says, None where there is none."""
        try:
            with storage_errors(self.path(name)):
                return int(self._filesystem.info(self.path(name))["size"])
        except FileNotFoundError:
            return None

    def names(self, folder: str) -> list[str]:
        """Give the files directly below a folder, sorted; those being written are not among them."""
        try:
            with storage_errors(self.path(folder)):
                listed: list[dict[str, Any]] = self._filesystem.ls(self.path(folder), detail=True, refresh=True)
        except FileNotFoundError:
            return []
        names = [str(entry["name"]).rsplit("/", 1)[-1] for entry in listed if entry["type"] == "file"]
        return sorted(name for name in names if not name.startswith("."))

    def local_path(self, name: str) -> Path | None:
        """Give a file as one of this machine, None where the storage is elsewhere."""
        return Path(self.path(name)) if is_local(self._filesystem) else None

    def path(self, name: str) -> str:
        """Give where a file lies, as messages name it."""
        return f"{self._root.rstrip('/')}/{name}"
