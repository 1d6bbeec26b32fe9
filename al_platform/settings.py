"""Settings: the environment, read once."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from al_platform.errors import InvalidInput

DEFAULT_HOME = ".alp"


@dataclass(frozen=True)
class LabelStudioSettings:
    """A Label Studio server, and how many people label each frame there."""

    url: str
    token: str = field(repr=False)
    answers: int = 1


@dataclass(frozen=True)
class Settings:
    """Where everything is kept. `storage_url` is a folder under the home unless ALP_STORAGE names another place."""

    home: Path
    storage_url: str
    label_studio: LabelStudioSettings | None = None
    """The labelling server; None where ALP_LABEL_STUDIO_URL is not set."""

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

    Raises: InvalidInput for a labelling server without a token, or a number of people that is none.
    """
    chosen = home or Path(os.environ.get("ALP_HOME") or DEFAULT_HOME)
    absolute = chosen.expanduser().absolute()
    storage_url = os.environ.get("ALP_STORAGE") or str(absolute / "blobs")
    return Settings(home=absolute, storage_url=storage_url, label_studio=_label_studio())


def _label_studio() -> LabelStudioSettings | None:
    url, token = os.environ.get("ALP_LABEL_STUDIO_URL", ""), os.environ.get("ALP_LABEL_STUDIO_TOKEN", "")
    if not url:
        return None
    if not url.startswith(("http://", "https://")):
        raise InvalidInput(f"ALP_LABEL_STUDIO_URL {url!r}: must begin with http:// or https://")
    if not token:
        raise InvalidInput(f"ALP_LABEL_STUDIO_URL {url} without ALP_LABEL_STUDIO_TOKEN: set the token of your account")
    answers = os.environ.get("ALP_LABEL_STUDIO_ANSWERS") or "1"
    if not answers.isdecimal() or int(answers) < 1:
        raise InvalidInput(f"ALP_LABEL_STUDIO_ANSWERS {answers!r}: must be a whole number of people, at least 1")
    return LabelStudioSettings(url, token, int(answers))
