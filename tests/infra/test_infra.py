"""The image and the compose file: valid by their own schemas, and of one mind with settings, commands and tests."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.core import TyperGroup

from al_platform.cli.app import app
from al_platform.settings import HOOK_PATH, read_settings
from tests.azurite import VERSION as AZURITE
from tests.label_studio import VERSION as LABEL_STUDIO

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
OUTSIDE = {"ALP_BROWSER_URL"}
"""Addresses that are not asked from within the network."""
OTHERS = {"AZURE_STORAGE_CONNECTION_STRING"}
"""What the services' own libraries read of the environment."""


def tool(name: str) -> str:
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    assert found, f"{name} is in the dev group: make dev-env"
    return found


def accepted(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file, with the values of the example in the place of its variables."""
    values = dict(line.split("=", 1) for line in (INFRA / "example.env").read_text().splitlines() if "=" in line)
    parsed: dict[str, Any] = _filled(yaml.safe_load((INFRA / "compose.yaml").read_text()), values)
    return parsed


def _filled(node: Any, values: dict[str, str]) -> Any:
    """Put values in the place of variables, after parsing, as compose does."""
    if isinstance(node, dict):
        return {name: _filled(its, values) for name, its in node.items()}
    if isinstance(node, list):
        return [_filled(its, values) for its in node]
    return re.sub(r"\$\{(\w+):\?[^}]*\}", lambda found: values[found[1]], node) if isinstance(node, str) else node


def alps(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The services that are `alp`."""
    image = compose["x-alp"]["image"]
    return {name: its for name, its in compose["services"].items() if its["image"] == image and "command" in its}


def test_the_image_keeps_the_rules_of_good_images_and_a_bad_one_would_not(tmp_path: Path) -> None:
    checked = accepted(tool("hadolint"), str(INFRA / "Dockerfile"))
    assert (checked.returncode, checked.stdout) == (0, "")
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN cd / && apt-get install gcc\n")
    assert accepted(tool("hadolint"), str(tmp_path / "Dockerfile")).returncode != 0


def test_the_compose_file_is_one_and_a_wrong_one_would_be_refused(tmp_path: Path) -> None:
    check = (tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec")
    checked = accepted(*check, str(INFRA / "compose.yaml"))
    assert checked.returncode == 0, checked.stdout
    wrong = tmp_path / "compose.yaml"
    wrong.write_text((INFRA / "compose.yaml").read_text().replace("restart: always", "restart_now: always"))
    assert accepted(*check, str(wrong)).returncode != 0


def test_every_command_of_the_compose_file_is_one_of_the_command_line(compose: dict[str, Any]) -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, TyperGroup)
    dockerfile = (INFRA / "Dockerfile").read_text()
    commands = [its["command"] for its in alps(compose).values() if "--help" not in its["command"]]
    commands.append(yaml.safe_load(dockerfile.rpartition("\nCMD ")[2]))
    assert len(commands) == 3
    for command in commands:
        with group.make_context("alp", list(command)) as context:
            name, sub, rest = group.resolve_command(context, list(command))
            assert sub is not None
            with sub.make_context(name, rest, parent=context) as parsed:
                assert parsed.params["port"] == 8765


def test_every_variable_is_one_that_the_settings_read(compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    known = set(re.findall(r"\"(ALP_\w+)\"", (ROOT / "al_platform" / "settings.py").read_text())) | OTHERS
    for name, service in alps(compose).items():
        unknown = service["environment"].keys() - known
        assert not unknown, name
    for variable, value in compose["services"]["service"]["environment"].items():
        monkeypatch.setenv(variable, value)
    settings = read_settings()
    people = settings.label_studio
    assert people is not None
    assert people.hook is not None
    assert people.hook.url.endswith(f":8765{HOOK_PATH}")
    assert settings.storage_url.startswith("az://")
    assert any(volume.endswith(f":{settings.home}") for volume in compose["services"]["service"]["volumes"])
    container = settings.storage_url.removeprefix("az://").partition("/")[0]
    assert f'create_container("{container}")' in compose["services"]["container"]["entrypoint"][-1]


def test_addresses_within_the_network_are_of_services_that_are_there(compose: dict[str, Any]) -> None:
    names = {*compose["services"], *compose["x-alp"]["networks"]["default"]["aliases"]}
    for service in compose["services"].values():
        environment = {name: value for name, value in service.get("environment", {}).items() if name not in OUTSIDE}
        hosts = {host for value in environment.values() for host in re.findall(r"https?://([\w-]+)", value)}
        hosts |= {value for variable, value in environment.items() if variable.endswith("_HOST")}
        assert hosts <= names
        assert service.get("depends_on", {}).keys() <= names


def test_nothing_is_open_to_the_world_and_nothing_of_ours_is_root(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    for service in alps(compose).values():
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    final = (INFRA / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)


def test_the_servers_are_those_that_the_tests_run_against(compose: dict[str, Any]) -> None:
    images = {name: service["image"] for name, service in compose["services"].items()}
    assert images["label-studio"].endswith(f":{LABEL_STUDIO}")
    assert images["azurite"].endswith(f":{AZURITE}")
    assert all(re.search(r":\d[\w.-]+$", image) for image in images.values())


def test_the_image_is_built_from_what_is_there_with_extras_that_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    build = (INFRA / "Dockerfile").read_text().partition("AS service")[0]
    assert set(re.findall(r"--extra (\w+)", build)) <= project["optional-dependencies"].keys()
    copied = [part for line in re.findall(r"^COPY (.*) \S+$", build, re.MULTILINE) for part in line.split()]
    assert all((ROOT / part).exists() for part in copied)
    allowed = {line[1:] for line in (INFRA / "Dockerfile.dockerignore").read_text().splitlines() if line[0] == "!"}
    assert set(copied) == allowed
    assert f"al-platform:{project['version']}" in (INFRA / "compose.yaml").read_text()
