"""Settings: what wins over what."""

from pathlib import Path

import pytest

from al_platform.domain.jobs import Cluster
from al_platform.errors import InvalidInput
from al_platform.settings import HookSettings, LabelStudioSettings, Settings, read_settings


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


def test_a_hook_needs_a_secret_that_is_long_and_an_address_where_it_is_found(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("ALP_HOOK_SECRET", "ALP_PUBLIC_URL", "ALP_LABEL_STUDIO_POLL_S"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALP_LABEL_STUDIO_URL", "http://localhost:8080")
    monkeypatch.setenv("ALP_LABEL_STUDIO_TOKEN", "token")
    people = read_settings(tmp_path).label_studio
    assert people == LabelStudioSettings("http://localhost:8080", "token")
    monkeypatch.setenv("ALP_HOOK_SECRET", "short")
    with pytest.raises(InvalidInput, match="ALP_HOOK_SECRET of 5 characters: must have at least 16"):
        read_settings(tmp_path)
    monkeypatch.setenv("ALP_HOOK_SECRET", "long-enough-a-secret")
    with pytest.raises(InvalidInput, match="set the address under which Label Studio finds this service"):
        read_settings(tmp_path)
    monkeypatch.setenv("ALP_PUBLIC_URL", "https://alp.example.org/")
    settings = read_settings(tmp_path)
    hook = HookSettings("https://alp.example.org/v1/hooks/label-studio", "long-enough-a-secret")
    assert settings.label_studio == LabelStudioSettings("http://localhost:8080", "token", hook=hook)
    assert "long-enough-a-secret" not in repr(settings)
    monkeypatch.setenv("ALP_LABEL_STUDIO_POLL_S", "0")
    with pytest.raises(InvalidInput, match="ALP_LABEL_STUDIO_POLL_S 0: must be at least 1 second"):
        read_settings(tmp_path)


def test_pictures_last_as_long_as_was_asked_and_the_address_for_browsers_is_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("ALP_HOOK_SECRET", "ALP_PUBLIC_URL", "ALP_BROWSER_URL", "ALP_LABEL_STUDIO_PICTURE_DAYS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALP_LABEL_STUDIO_URL", "http://localhost:8080")
    monkeypatch.setenv("ALP_LABEL_STUDIO_TOKEN", "token")
    assert read_settings(tmp_path).browser_url == ""
    monkeypatch.setenv("ALP_BROWSER_URL", "https://alp.example.org/")
    monkeypatch.setenv("ALP_LABEL_STUDIO_PICTURE_DAYS", "90")
    settings = read_settings(tmp_path)
    assert settings.browser_url == "https://alp.example.org"
    assert settings.label_studio == LabelStudioSettings("http://localhost:8080", "token", picture_days=90)
    monkeypatch.setenv("ALP_LABEL_STUDIO_PICTURE_DAYS", "0")
    with pytest.raises(InvalidInput, match="ALP_LABEL_STUDIO_PICTURE_DAYS '0': must be a whole number of days"):
        read_settings(tmp_path)
    monkeypatch.delenv("ALP_LABEL_STUDIO_PICTURE_DAYS")
    monkeypatch.setenv("ALP_BROWSER_URL", "alp.example.org")
    with pytest.raises(InvalidInput, match=r"ALP_BROWSER_URL 'alp\.example\.org': must begin with http"):
        read_settings(tmp_path)


def test_heavy_work_stays_on_this_machine_unless_a_cluster_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("ALP_COMPUTE", "ALP_RAY_ADDRESS", "ALP_RAY_CPUS", "ALP_RAY_GPUS"):
        monkeypatch.delenv(name, raising=False)
    assert (read_settings(tmp_path).compute, read_settings(tmp_path).cluster) == ("local", None)
    monkeypatch.setenv("ALP_COMPUTE", "ray")
    monkeypatch.setenv("ALP_RAY_ADDRESS", "http://ray:8265/")
    monkeypatch.setenv("ALP_RAY_GPUS", "0.5")
    settings = read_settings(tmp_path)
    assert (settings.compute, settings.cluster) == ("ray", Cluster("http://ray:8265", 1.0, 0.5))
    monkeypatch.setenv("ALP_RAY_CPUS", "-1")
    with pytest.raises(InvalidInput, match=r"job of -1 processors, 0\.5 GPUs: must be 0 or more"):
        read_settings(tmp_path)
