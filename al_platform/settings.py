"""Settings: the environment, read once."""

import math
import os
from dataclasses import dataclass
from pathlib import Path

from al_platform.errors import InvalidInput

DEFAULT_HOME = ".alp"

_GB = 10**9


@dataclass(frozen=True)
class Settings:
    """Where everything is kept. `storage_url` is a folder under the home unless ALP_STORAGE names another place."""

    home: Path
    storage_url: str
    blob_cache_bytes: int = 20 * _GB
    """What blobs of a remote storage may take on the local disk (ALP_CACHE_GB)."""
    memory_bytes: int = 4 * _GB
    """Records of a dataset version beyond this are streamed from the disk, not held in memory (ALP_MEMORY_GB)."""

    @property
    def catalog_path(self) -> Path:
        """The DuckDB file."""
        return self.home / "catalog.duckdb"

    @property
    def sealed_url(self) -> str:
        """Answers that nobody bought yet."""
        return str(self.home / "sealed")

    @property
    def cache_folder(self) -> Path:
        """What can be computed again."""
        return self.home / "cache"

    @property
    def blob_cache_folder(self) -> Path:
        """Blobs of a remote storage."""
        return self.cache_folder / "blobs"

    @property
    def hot_folder(self) -> Path:
        """Frames kept at hand until they are dropped."""
        return self.home / "hot"

    @property
    def runs_folder(self) -> Path:
        """Checkpoints of trainings that are under way."""
        return self.home / "runs"

    @property
    def reports_folder(self) -> Path:
        """Reports, a folder for each experiment."""
        return self.home / "reports"


def read_settings(home: Path | None = None) -> Settings:
    """Give the settings: `home` wins over ALP_HOME, which wins over `.alp` in the working folder.

    A variable that is set to nothing counts as unset.

    Raises: InvalidInput for a size that is no number above 0.
    """
    chosen = home or Path(os.environ.get("ALP_HOME") or DEFAULT_HOME)
    absolute = chosen.expanduser().absolute()
    return Settings(
        home=absolute,
        storage_url=os.environ.get("ALP_STORAGE") or str(absolute / "blobs"),
        blob_cache_bytes=_gigabytes("ALP_CACHE_GB", Settings.blob_cache_bytes),
        memory_bytes=_gigabytes("ALP_MEMORY_GB", Settings.memory_bytes),
    )


def _gigabytes(name: str, otherwise: int) -> int:
    text = os.environ.get(name)
    if not text:
        return otherwise
    try:
        gigabytes = float(text)
    except ValueError:
        gigabytes = math.nan
    if not 0.0 < gigabytes < math.inf:
        raise InvalidInput(f"{name}={text}: must be a number of gigabytes above 0")
    return int(gigabytes * _GB)
