"""What the steps of a round work with."""

from collections.abc import Mapping
from dataclasses import dataclass

from al_platform.catalog.connection import Catalog
from al_platform.compute.base import Compute
from al_platform.domain.jobs import Workplace
from al_platform.domain.progress import ReportProgress, silent
from al_platform.labeling.base import LabelingTool
from al_platform.labeling.oracle import Oracle
from al_platform.storage.blobs import BlobStore
from al_platform.storage.records import RecordCaches
from al_platform.training.place import TrainingPlace


@dataclass(frozen=True)
class LoopContext:
    """Where things are kept, what computes, who labels, and who hears of progress."""

    catalog: Catalog
    place: TrainingPlace
    compute: Compute
    tools: Mapping[str, LabelingTool]
    oracle: Oracle | None = None
    """Only baselines that imitate a human curator may look through it."""
    report: ReportProgress = silent

    @property
    def workplace(self) -> Workplace:
        """What a job is told of where it works; no result depends on it."""
        return self.place.workplace

    @property
    def blobs(self) -> BlobStore:
        """The storage."""
        return self.place.blobs

    @property
    def caches(self) -> RecordCaches:
        """What can be computed again."""
        return self.place.caches
