"""Finding the files of a format and reading them whole, within a limit that a small compressed file cannot lift."""

import bz2
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from al_platform.errors import BrokenRecording, StorageUnavailable

LARGEST_FILE = 256 * 2**20
"""Bytes of one scene after decompression: some twenty times the largest that the public data sets have."""


def files_below(path: Path, wanted: Callable[[str], bool]) -> list[Path]:
    """Give the file itself, or the files below a folder whose name is wanted, sorted by path."""
    if path.is_file():
        return [path]
    return sorted(found for found in path.rglob("*") if wanted(found.name) and found.is_file())


def read_whole(path: Path) -> bytes:
    """Give the bytes of a file, unpacked where its name ends in .bz2.

    Raises: BrokenRecording for one that is cut short or larger than LARGEST_FILE; StorageUnavailable where the
        disk does not give it.
    """
    with disk_errors(path):
        if path.suffix != ".bz2":
            _refuse_larger(path.stat().st_size)
            return path.read_bytes()
        try:
            with bz2.open(path) as stream:
                content = stream.read(LARGEST_FILE + 1)
        except EOFError as error:
            raise BrokenRecording("cut short", "the compressed stream ends early") from error
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise BrokenRecording("not bzip2", str(error)) from error
    _refuse_larger(len(content))
    return content


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn what a disk refuses into StorageUnavailable, naming the file."""
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(f"{path}: {error.strerror or error}; make it readable, then run again") from error


def _refuse_larger(size: int) -> None:
    if size > LARGEST_FILE:
        raise BrokenRecording("too large", f"more than {LARGEST_FILE} bytes for one scene")
