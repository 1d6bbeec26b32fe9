"""The shards of scores as files of this machine, verified: what a selection reads the head of."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from al_platform.domain.hashing import hash_bytes, hash_file
from al_platform.domain.scores import ShardFile, ShardMarker
from al_platform.errors import CorruptScores
from al_platform.storage.blobs import storage_errors, write_durably
from al_platform.storage.files import NamedFiles

ClassFiles = tuple[tuple[str, ...], ...]
"""For each class the paths of its shards, by number."""


def local_shards(
    files: NamedFiles, markers: Iterable[ShardMarker], classes: Sequence[str], *, folder: Path
) -> ClassFiles:
    """Give the shards of these classes: where they lie, or copies kept in `folder`, each fetched once.

    Every file is hashed, a little of it in memory at a time.

    Raises: CorruptScores naming a file whose bytes are not those that were written, NotFound for one that is gone,
        StorageUnavailable.
    """
    by_class: dict[str, list[str]] = {name: [] for name in classes}
    for marker in sorted(markers, key=lambda marker: marker.shard):
        for file in marker.files:
            if file.class_name in by_class:
                by_class[file.class_name].append(str(_local(files, file, folder)))
    return tuple(tuple(paths) for paths in by_class.values())


def require_written(files: NamedFiles, file: ShardFile, found: str) -> None:
    """Refuse a file by the hash of its bytes.

    Raises: CorruptScores naming the file.
    """
    if found != file.hash:
        raise CorruptScores(
            f"{files.path(file.path)}: its bytes hash to {found}, were written as {file.hash}; "
            "delete it, then run the round again"
        )


def _local(files: NamedFiles, file: ShardFile, folder: Path) -> Path:
    there, copy = files.local_path(file.path), folder / f"{file.hash}.parquet"
    with storage_errors(str(there or copy)):
        if there is not None:
            require_written(files, file, hash_file(there))
            return there
        if not copy.exists() or hash_file(copy) != file.hash:
            content = files.read(file.path)
            require_written(files, file, hash_bytes(content))
            write_durably(copy, content)
    return copy
