"""The Kubernetes base: valid by its schemas, of one mind with settings, compose file and service, of few rights."""

import copy
import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from al_platform.settings import HOOK_PATH, read_settings
from api.routes.health import router

ROOT = Path(__file__).parents[2]
BASE = ROOT / "infra" / "kubernetes"
OTHERS = {"AZURE_STORAGE_CONNECTION_STRING"}
"""What the services' own libraries read of the environment."""


def objects() -> list[dict[str, Any]]:
    """Every object of the base, in the order of its files."""
    names = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    return [found for name in names for found in yaml.safe_load_all((BASE / name).read_text())]


def of_kind(*kinds: str) -> dict[str, dict[str, Any]]:
    return {found["metadata"]["name"]: found for found in objects() if found["kind"] in kinds}


def pods() -> dict[str, dict[str, Any]]:
    """The pods of every workload, by its name."""
    return {name: its["spec"]["template"]["spec"] for name, its in of_kind("Deployment", "StatefulSet").items()}


def container_of(pod: dict[str, Any]) -> dict[str, Any]:
    (container,) = pod["containers"]
    found: dict[str, Any] = container
    return found


def test_every_object_is_one_by_its_schema_and_a_wrong_one_would_be_refused() -> None:
    version = kubernetes_validate.latest_version()
    for found in objects():
        kubernetes_validate.validate(found, version, strict=True)
    wrong = copy.deepcopy(of_kind("Deployment")["alp"])
    wrong["spec"]["replicas"] = "one"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, version, strict=True)


def test_the_kustomization_names_every_file_beside_it() -> None:
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == sorted(path.name for path in BASE.glob("*.yaml") if path.name != "kustomization.yaml")


def test_the_images_are_those_of_the_compose_file() -> None:
    services = yaml.safe_load((ROOT / "infra" / "compose.yaml").read_text())["services"]
    assert {container_of(pod)["image"] for pod in pods().values()} <= {its["image"] for its in services.values()}


def test_nothing_runs_as_root_or_without_limits_or_unwatched() -> None:
    for name, pod in pods().items():
        container = container_of(pod)
        assert pod["securityContext"]["runAsNonRoot"], name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod["automountServiceAccountToken"]
        assert not container["securityContext"]["allowPrivilegeEscalation"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"].keys() == {"cpu", "memory"}
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys()


def test_one_process_owns_the_catalog_and_its_user_is_that_of_the_image() -> None:
    alp = of_kind("Deployment")["alp"]["spec"]
    assert (alp["replicas"], alp["strategy"]) == (1, {"type": "Recreate"})
    context = alp["template"]["spec"]["securityContext"]
    user = re.findall(r"^USER (\d+):(\d+)$", (ROOT / "infra" / "Dockerfile").read_text(), re.MULTILINE)
    assert user == [(str(context["runAsUser"]), str(context["runAsGroup"]))]
    assert container_of(alp["template"]["spec"])["securityContext"]["readOnlyRootFilesystem"]


def test_services_lead_to_pods_and_are_within_the_cluster() -> None:
    workloads = of_kind("Deployment", "StatefulSet")
    for name, service in of_kind("Service").items():
        assert service["spec"]["type"] == "ClusterIP"
        assert workloads[name]["spec"]["template"]["metadata"]["labels"] == service["spec"]["selector"]
        ports = {port["name"]: port["containerPort"] for port in container_of(pods()[name])["ports"]}
        assert {port["targetPort"]: port["port"] for port in service["spec"]["ports"]} == ports
    for its in workloads.values():
        assert its["spec"]["selector"]["matchLabels"] == its["spec"]["template"]["metadata"]["labels"]


def test_what_is_mounted_is_there() -> None:
    claims = of_kind("PersistentVolumeClaim")
    for name, its in of_kind("Deployment", "StatefulSet").items():
        pod, templates = pods()[name], its["spec"].get("volumeClaimTemplates", [])
        volumes = {volume["name"] for volume in [*pod.get("volumes", []), *(made["metadata"] for made in templates)]}
        assert {mount["name"] for mount in container_of(pod)["volumeMounts"]} == volumes
        asked = [volume["persistentVolumeClaim"] for volume in pod.get("volumes", []) if "emptyDir" not in volume]
        assert {claim["claimName"] for claim in asked} <= claims.keys()


def test_secrets_are_those_of_the_example_and_none_is_written_down() -> None:
    example = set(re.findall(r"^(\w+)=", (ROOT / "infra" / "example.env").read_text(), re.MULTILINE))
    for name, pod in pods().items():
        for variable in container_of(pod)["env"]:
            asked = variable.get("valueFrom", {}).get("secretKeyRef")
            if asked is None:
                assert not re.search("PASSWORD|TOKEN|SECRET|CONNECTION", variable["name"]), name
            else:
                assert asked["name"] == "al-platform"
                assert asked.get("optional") or asked["key"] in example


def test_the_service_finds_its_home_and_label_studio(monkeypatch: pytest.MonkeyPatch) -> None:
    known = set(re.findall(r"\"(ALP_\w+)\"", (ROOT / "al_platform" / "settings.py").read_text())) | OTHERS
    container = container_of(pods()["alp"])
    assert {variable["name"] for variable in container["env"]} <= known
    for variable in container["env"]:
        monkeypatch.setenv(variable["name"], variable.get("value", "sixteen-or-more-letters"))
    settings = read_settings()
    assert str(settings.home) in [mount["mountPath"] for mount in container["volumeMounts"]]
    people = settings.label_studio
    assert people is not None
    assert people.hook is not None
    assert people.hook.url == f"http://alp:8765{HOOK_PATH}"
    services = {f"http://{name}:{its['spec']['ports'][0]['port']}" for name, its in of_kind("Service").items()}
    assert {people.url, people.hook.url.removesuffix(HOOK_PATH)} <= services


def test_probes_ask_what_is_open_without_a_key() -> None:
    container = container_of(pods()["alp"])
    probes = [its for name, its in container.items() if name.endswith("Probe")]
    open_paths = {route.path for route in router.routes if not route.dependencies}  # type: ignore[attr-defined]
    assert {probe["httpGet"]["path"] for probe in probes} <= open_paths
    assert {probe["httpGet"]["port"] for probe in probes} == {port["name"] for port in container["ports"]}
