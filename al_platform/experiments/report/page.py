"""Writes the report: one HTML file that needs nothing else, and its numbers as JSON."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from al_platform.experiments.records import ExperimentResult
from al_platform.experiments.report import tables
from al_platform.experiments.report.bars import steps_of, time_panel
from al_platform.experiments.report.gallery import pictures_of, scale_top, scale_uri
from al_platform.experiments.report.palette import colour_variables, looks_of
from al_platform.experiments.report.panels import curve_panels, selection_panels
from al_platform.experiments.report.setting import setting_of
from al_platform.experiments.report.summary import summary
from al_platform.experiments.statistics import arms_of

HERE = Path(__file__).parent


def write_report(result: ExperimentResult, folder: Path) -> Path:
    """Write folder/report.html and folder/summary.json with the same numbers; gives the path of the page."""
    found = summary(result)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)
    (folder / "summary.json").write_text(text + "\n", encoding="utf-8")
    page = folder / "report.html"
    page.write_text(page_of(result, found), encoding="utf-8")
    return page


def page_of(result: ExperimentResult, found: Mapping[str, Any]) -> str:
    """The page as one HTML text; every name that comes from data is escaped."""
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.jinja").render(
        css=Markup((HERE / "page.css").read_text(encoding="utf-8")),
        light=colour_variables(dark=False),
        dark=colour_variables(dark=True),
        found=found,
        setting=setting_of(result),
        **_contents(result, found),
    )


def _contents(result: ExperimentResult, found: Mapping[str, Any]) -> dict[str, Any]:
    looks = looks_of(arms_of(result.points) + tuple(picked.arm for picked in result.gallery))
    over_all = [row for row in found["selections"] if row["round"] is None]
    pictures = pictures_of(result.gallery)
    return {
        "looks": looks,
        "curves": curve_panels(found, looks),
        "saving": tables.saving_table(found),
        "improvement": tables.improvement_table(found),
        "baselines": tables.baseline_table(found),
        "checkpoints": tables.checkpoint_tables(found),
        "selections": selection_panels(found["selections"], looks, targets=result.spec.targets),
        "selection_table": tables.selection_table(found),
        "galleries": {arm: [p for p in pictures if p.arm == arm] for arm in dict.fromkeys(p.arm for p in pictures)},
        "hard_negatives": [picture for picture in pictures if not picture.shows_target],
        "scale_top": scale_top(result.gallery),
        "scale": scale_uri(),
        "time": time_panel(over_all, name="time"),
        "steps": steps_of(over_all),
    }
