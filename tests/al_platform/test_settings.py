"""Settings: what wins over what."""

from pathlib import Path

import pytest

from al_platform.settings import Settings, read_settings


def test_the_argument_wins_over_the_environment_which_wins_over_the_default(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for value in (None, ""):
        for name in ("ALP_HOME", "ALP_STORAGE"):
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        assert read_settings() == Settings(tmp_path / ".alp", str(tmp_path / ".alp" / "blobs"))
    monkeypatch.setenv("ALP_HOME", "~/fleet")
    monkeypatch.setenv("ALP_STORAGE", "memory://fleet")
    assert read_settings() == Settings(Path("~/fleet").expanduser(), "memory://fleet")
    assert read_settings(Path("other")).home == tmp_path / "other"


def test_everything_local_lies_below_the_home(tmp_path: Path) -> None:
    settings = Settings(tmp_path, "memory://fleet")
    places = (settings.catalog_path, Path(settings.sealed_url), settings.cache_folder)
    for place in (*places, settings.runs_folder, settings.reports_folder):
        assert place.parent == tmp_path
