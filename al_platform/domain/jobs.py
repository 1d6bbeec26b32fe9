"""Heavy work that is handed over: what is to be computed, and where."""

import math
from dataclasses import dataclass

from al_platform.errors import InvalidInput


@dataclass(frozen=True)
class Workplace:
    """Where a job reads and writes. Results come from and go to the storage alone; the rest only saves time."""

    storage_url: str
    cache_folder: str
    hot_folder: str
    """Frames kept at hand."""
    runs_folder: str
    """Checkpoints of trainings that are under way."""
    blob_cache_bytes: int
    memory_bytes: int
    """Records of a dataset version beyond this are streamed."""
    scorers: int = 1
    """Processes that score a pool."""
    checkpoint_every_s: float = 20.0
    """How much a killed training repeats at most, in seconds."""
    scenarios_folder: str = ""
    """Prepared scenarios; "" for jobs that drive none."""


@dataclass(frozen=True)
class Job:
    """One piece of heavy work: its kind, and the name of the record in storage that determines its result."""

    kind: str
    record: str
    workplace: Workplace


@dataclass(frozen=True)
class Cost:
    """What a job took: wall time, time of all its processors (s), and the most memory at once (bytes)."""

    seconds: float
    cpu_seconds: float
    peak_memory_bytes: int


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster: the address of its dashboard, and what each job asks for of a machine."""

    address: str
    processors: float = 1.0
    accelerators: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no machine can give."""
        if not (0.0 <= self.processors < math.inf and 0.0 <= self.accelerators < math.inf):
            raise InvalidInput(f"job of {self.processors:g} processors, {self.accelerators:g} GPUs: must be 0 or more")
