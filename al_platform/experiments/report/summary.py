"""Every number of the report as plain data."""

import math
from typing import Any

from al_platform.domain.hashing import to_plain
from al_platform.experiments.records import ExperimentResult
from al_platform.experiments.report import rows
from al_platform.experiments.report.headline import headline
from al_platform.experiments.report.notes import notes
from al_platform.experiments.report.views import missing_classes, views_of
from al_platform.experiments.statistics import arms_of

SCHEMA = 1


def summary(result: ExperimentResult) -> dict[str, Any]:
    """Give the whole report as a JSON-able dict; a number that cannot be computed is None, never NaN.

    Keys: `schema` (1), `experiment`, `headline`, `notes`, and lists of flat rows:

    - `experiment`: experiment_id, spec, arms, seeds, rounds (run, not asked for), pool_frames,
      pool_sessions, test_frames, test_sessions, environment, views (name, classes, target), missing_classes.
    - `headline`: sentence, details (more sentences), arm, baseline, class_name.
    - `curves`: arm, class, round, frames, positive_cells, objects (means over seeds), average_precision.
    - `label_saving`: arm, baseline, class, cost, ratio, low, high, bound, low_bound, high_bound, seeds, note.
    - `areas`: arm, class, cost, bounds, area, baseline, difference. AULC over frames, AULP over
      positive cells.
    - `relative_improvement`: arm, versus, class, round, gain (AP over the reference), relative (1 = as much).
    - `comparisons`: arm, baseline, class, at, difference, half_width, verdict.
    - `selections`: arm, round (None = all), frames, positives_per_label, objects, sessions,
      hard_negative_share, seconds.
    - `notes`: sentences that say what could not be computed.

    An interval is {mean, low, high, seeds, note}, 95 %. `class` is a class of the model or "mean of targets".
    """
    views, points = views_of(result), result.points
    improvements = [row for view in views for row in rows.improvement_rows(points, view)]
    found = {
        "schema": SCHEMA,
        "experiment": _experiment(result),
        "headline": headline(result, views),
        "curves": [row for view in views for row in rows.curve_rows(points, view)],
        "label_saving": [row for view in views for row in rows.saving_rows(points, view)],
        "areas": [row for view in views for row in rows.area_rows(points, view)],
        "relative_improvement": improvements,
        "comparisons": [row for view in views for row in rows.comparison_rows(points, view)],
        "selections": list(rows.selection_rows(points, result.spec.targets)),
        "notes": list(notes(result, views, improvements)),
    }
    plain: dict[str, Any] = without_nan(to_plain(found))
    return plain


def without_nan(value: Any) -> Any:
    """The same data with None for every number that is not finite."""
    if isinstance(value, dict):
        return {key: without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _experiment(result: ExperimentResult) -> dict[str, Any]:
    return {
        "experiment_id": result.experiment_id,
        "spec": result.spec,
        "arms": arms_of(result.points),
        "seeds": sorted({point.seed for point in result.points}),
        "rounds": max((point.round_index for point in result.points), default=0),
        "pool_frames": result.pool_frames,
        "pool_sessions": result.pool_sessions,
        "test_frames": result.test_frames,
        "test_sessions": result.test_sessions,
        "environment": result.environment,
        "views": views_of(result),
        "missing_classes": missing_classes(result),
    }
