"""Learning curves: of experiments with their bands against the random control, and of the rounds of a queue."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from al_platform.catalog.datasets import version_named
from al_platform.catalog.models import metrics_of
from al_platform.catalog.rounds import all_rounds
from al_platform.domain.rounds import Round
from al_platform.experiments.report import tables
from al_platform.experiments.report.figures import Line, Panel, curve_panel
from al_platform.experiments.report.palette import looks_of
from al_platform.experiments.report.panels import curve_panels, selection_panels
from al_platform.experiments.report.tables import Table
from al_platform.platform.experiments import written_report
from al_platform.platform.home import Platform

_SHOWN_ARMS = 8
"""Queues whose curves can be told apart in one figure."""


@dataclass(frozen=True)
class Learning:
    """What an experiment found, as far as its report was written: figures and tables with 95 % intervals."""

    name: str
    sentence: str
    details: tuple[str, ...]
    notes: tuple[str, ...]
    curves: tuple[tuple[Panel, ...], ...]
    """Rows of panels: per frame, per positive cell, and minus the control."""
    yields: tuple[Panel, ...]
    """Positives, hard negatives, sessions and objects, round by round."""
    saving: Table | None
    """Label cost against the control."""
    selections: Table | None


def learning_of(platform: Platform, experiment_id: str) -> Learning:
    """Give the curves of an experiment.

    Raises: NotFound for an unknown id, or where no report was written yet.
    """
    found = json.loads(written_report(platform, experiment_id, "summary.json"))
    spec, headline = found["experiment"]["spec"], found["headline"]
    looks = looks_of(found["experiment"]["arms"])
    return Learning(
        name=spec["name"],
        sentence=headline["sentence"],
        details=tuple(headline["details"]),
        notes=tuple(found["notes"]),
        curves=tuple(tuple(row) for row in curve_panels(found, looks)),
        yields=tuple(selection_panels(found["selections"], looks, targets=spec["targets"])),
        saving=tables.saving_table(found),
        selections=tables.selection_table(found),
    )


@dataclass(frozen=True)
class _Measured:
    """One trained round: who picked for which queue, labels that it trained on, and how good it then was."""

    queue: str
    frames: int
    precision: float


def round_panels(platform: Platform) -> tuple[Panel, ...]:
    """Give average precision over labelled frames, a figure per frozen test set and targets, a line per queue.

    The precision is the mean of a round's targets. Rounds of experiments have their own figures and are left out.
    """
    with platform.catalog.transaction() as tx:
        figures: dict[tuple[str, tuple[str, ...]], list[_Measured]] = {}
        for round_ in all_rounds(tx):
            test, ensemble = round_.spec.test_version_id, round_.ensemble_id
            if test is None or ensemble is None or _of_experiment(round_):
                continue
            by_class = metrics_of(tx, ensemble, test).get("average_precision", {})
            known = [by_class[name] for name in round_.spec.targets if name in by_class]
            if known:
                frames = version_named(tx, round_.spec.dataset_version_id).items
                measured = _Measured(round_.spec.queue, frames, sum(known) / len(known))
                figures.setdefault((test, round_.spec.targets), []).append(measured)
    drawn = [
        _panel(number, targets, measured) for number, ((_, targets), measured) in enumerate(figures.items(), start=1)
    ]
    return tuple(panel for panel in drawn if panel is not None)


def _of_experiment(round_: Round) -> bool:
    return round_.spec.queue.startswith("exp_")


def _panel(number: int, targets: Sequence[str], measured: Sequence[_Measured]) -> Panel | None:
    if len({point.frames for point in measured}) < 2:
        return None  # one point is no curve
    queues = tuple(dict.fromkeys(point.queue for point in measured))[:_SHOWN_ARMS]
    lines = [_line(queue, sorted((p.frames, p.precision) for p in measured if p.queue == queue)) for queue in queues]
    return curve_panel(
        lines,
        looks_of(queues),
        name=f"rounds{number}",
        caption=f"{', '.join(targets)}: rounds by queue",
        x_title="labelled frames trained on",
        y_title="average precision",
    )


def _line(queue: str, points: Sequence[tuple[int, float]]) -> Line:
    nothing = (None,) * len(points)
    x, y = zip(*points, strict=True)
    return Line(queue, x, y, nothing, nothing)
