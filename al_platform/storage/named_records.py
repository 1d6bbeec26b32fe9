"""Records as named files: what jobs and whoever started them tell each other, and what stays."""

from typing import TypeVar

from pydantic import ValidationError

from al_platform.domain.hashing import canonical_json
from al_platform.domain.records import record_from_json
from al_platform.errors import CorruptBlob, NotFound
from al_platform.storage.files import NamedFiles

Record = TypeVar("Record")


def find_record(files: NamedFiles, name: str, kind: type[Record]) -> Record | None:
    """Give a record from storage, None where there is none of this name.

    Raises: CorruptBlob where it is torn.
    """
    try:
        return record_from_json(kind, files.read(name).decode())
    except NotFound:
        return None
    except (ValidationError, UnicodeDecodeError) as error:
        raise CorruptBlob(f"{files.path(name)}: is torn; delete it, then run again what wrote it") from error


def keep_record(files: NamedFiles, name: str, record: object) -> None:
    """Put a record into storage; the first of a name stays."""
    files.write(name, canonical_json(record).encode())
