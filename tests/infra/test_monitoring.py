"""The dashboard and the scraping of its figures: of metrics that the service really tells."""

import json
import re
from pathlib import Path
from typing import Any

import yaml
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from al_platform.domain.runs import RunState
from api.metrics import Metrics
from api.routes.health import router

MONITORING = Path(__file__).parents[2] / "infra" / "monitoring"
FUNCTIONS = {"sum", "by", "rate", "histogram_quantile"}


def told() -> dict[str, set[str]]:
    """The samples that `/metrics` tells once a request was answered: name to labels."""
    metrics = Metrics()
    metrics.observe(method="GET", route="/v1/frames", status=200, seconds=0.01)
    metrics.set_rounds(dict.fromkeys(RunState, 1))
    families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((MONITORING / "dashboard.json").read_text())
    return found


def queries() -> list[str]:
    return [target["expr"] for panel in dashboard()["panels"] for target in panel["targets"]]


def test_every_figure_of_the_dashboard_is_one_that_the_service_tells() -> None:
    known = told()
    for query in queries():
        bare = re.sub(r'"[^"]*"|\[\w+\]', "", query)
        labels = {name for inner in re.findall(r"\{([^}]*)\}|by \(([^)]*)\)", bare) for name in _names("".join(inner))}
        metrics = _names(re.sub(r"\{[^}]*\}|by \([^)]*\)", "", bare)) - FUNCTIONS
        assert metrics, query
        assert metrics <= known.keys(), query
        assert labels - {"job"} <= set.union(*(known[name] for name in metrics)), query


def test_every_figure_of_ours_is_on_the_dashboard() -> None:
    ours = {re.sub("_(total|bucket|count|sum|created)$", "", name) for name in told() if name.startswith("alp_")}
    assert {name for name in ours if not any(name in query for query in queries())} == set()


def test_panels_lie_side_by_side_and_ask_the_chosen_source() -> None:
    places = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {(x, place["y"]) for x in range(place["x"], place["x"] + place["w"])}
        assert not cells & places
        assert max(x for x, _ in cells) < 24
        places |= cells
        assert panel["datasource"]["uid"] == f"${{{dashboard()['templating']['list'][0]['name']}}}"
    assert len({panel["id"] for panel in dashboard()["panels"]}) == len(dashboard()["panels"])


def test_the_service_is_scraped_where_it_tells_with_a_key_from_a_file() -> None:
    (job,) = yaml.safe_load((MONITORING / "prometheus.yaml").read_text())["scrape_configs"]
    assert job["metrics_path"] in {route.path for route in router.routes}  # type: ignore[attr-defined]
    assert job["authorization"].keys() == {"type", "credentials_file"}
    assert job["static_configs"] == [{"targets": ["alp:8765"]}]
    assert all(f'job="{job["job_name"]}"' in query for query in queries())


def _names(text: str) -> set[str]:
    return set(re.findall(r"[a-z_][a-z_0-9]*", text))
