"""What the steps of a round work with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from al_platform.catalog.connection import Catalog
from al_platform.domain.progress import ReportProgress, silent
from al_platform.labeling.base import LabelingTool
from al_platform.labeling.oracle import Oracle
from al_platform.storage.blobs import BlobStore
from al_platform.storage.cache import BlobReader
from al_platform.storage.records import RecordCaches
from al_platform.training.tiers import HotTiers


@dataclass(frozen=True)
class LoopContext:
    """Where things are kept, who labels, and who hears of progress."""

    catalog: Catalog
    blobs: BlobStore
    images: BlobReader
    """The same blobs as far as they are read again and again: through a cache where they are remote."""
    tiers: HotTiers
    caches: RecordCaches
    runs_folder: Path
    tools: Mapping[str, LabelingTool]
    oracle: Oracle | None = None
    """Only baselines that imitate a human curator may look through it."""
    report: ReportProgress = silent
    scorers: int = 1
    """Processes that score a pool, this one among them; no result depends on it."""
    checkpoint_every_s: float = 20.0
    """How much a killed training repeats at most, in seconds; no result depends on it."""
    memory_bytes: int = 4 * 10**9
    """Records of a dataset version beyond this are streamed; no result depends on it."""
