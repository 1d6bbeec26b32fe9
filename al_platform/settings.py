"""Settings: the environment, read once."""

import os
from dataclasses import dataclass
from pathlib import Path

DEFAULT_HOME = ".alp"


@dataclass(frozen=True)
class Settings:
    """Where everything is kept. `storage_url` is a folder under the home unless ALP_STORAGE names another place."""

    home: Path
    storage_url: str

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
    """
    chosen = home or Path(os.environ.get("ALP_HOME") or DEFAULT_HOME)
    absolute = chosen.expanduser().absolute()
    return Settings(home=absolute, storage_url=os.environ.get("ALP_STORAGE") or str(absolute / "blobs"))
