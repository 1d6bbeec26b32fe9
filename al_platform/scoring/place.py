"""Where a scorer reads and writes."""

from dataclasses import dataclass

from al_platform.storage.blobs import BlobStore
from al_platform.storage.files import NamedFiles
from al_platform.storage.records import RecordCaches


@dataclass(frozen=True)
class ScoringPlace:
    """Where a scorer reads and writes; every scorer of a job has the same storage, none needs the same caches."""

    blobs: BlobStore
    caches: RecordCaches
    scenarios: str = ""
    """Folder of the store of scenarios; every scorer of scenarios needs the same ones there."""

    @property
    def files(self) -> NamedFiles:
        """Give the files of scores, beside the blobs."""
        return NamedFiles(self.blobs.url)
