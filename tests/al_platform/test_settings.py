"""Settings: what wins over what."""

from pathlib import Path

import pytest

from al_platform.errors import InvalidInput
from al_platform.settings import LabelStudioSettings, Settings, read_settings


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


def test_the_labelling_server_is_read_from_the_environment_and_its_token_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("ALP_LABEL_STUDIO_URL", raising=False)
    assert read_settings(tmp_path).label_studio is None
    monkeypatch.setenv("ALP_LABEL_STUDIO_URL", "http://localhost:8080")
    monkeypatch.delenv("ALP_LABEL_STUDIO_TOKEN", raising=False)
    with pytest.raises(InvalidInput, match="without ALP_LABEL_STUDIO_TOKEN: set the token of your account"):
        read_settings(tmp_path)
    monkeypatch.setenv("ALP_LABEL_STUDIO_TOKEN", "secret")
    monkeypatch.setenv("ALP_LABEL_STUDIO_ANSWERS", "2")
    settings = read_settings(tmp_path)
    assert settings.label_studio == LabelStudioSettings("http://localhost:8080", "secret", 2)
    assert "secret" not in repr(settings)
    monkeypatch.setenv("ALP_LABEL_STUDIO_ANSWERS", "none")
    with pytest.raises(InvalidInput, match="ALP_LABEL_STUDIO_ANSWERS 'none': must be a whole number of people"):
        read_settings(tmp_path)
    monkeypatch.setenv("ALP_LABEL_STUDIO_URL", "localhost:8080")
    with pytest.raises(InvalidInput, match="must begin with http:// or https://"):
        read_settings(tmp_path)
