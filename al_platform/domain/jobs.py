"""Heavy work that is handed over: what is to be computed, and where."""

from dataclasses import dataclass


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
    scenarios_folder: str = ""
    """Prepared scenarios, which load by memory map."""
    scorers: int = 1
    """Processes that score a pool."""
    checkpoint_every_s: float = 20.0
    """How much a killed training repeats at most, in seconds."""


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
