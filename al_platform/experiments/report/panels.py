"""Which figures a report shows: learning curves per class, and what was selected."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from al_platform.experiments.report.figures import Line, Panel, curve_panel
from al_platform.experiments.report.palette import Look

Row = Mapping[str, Any]
Looks = Mapping[str, Look]


def curve_panels(found: Mapping[str, Any], looks: Looks) -> list[list[Panel]]:
    """Rows of panels: AP per frame, per positive cell and paired with the yardstick, a column per class.

    With one class, the three stand in one row.
    """
    names = list(dict.fromkeys(row["class"] for row in found["curves"]))
    kinds = [
        [draw(found, looks, name, number) for number, name in enumerate(names)]
        for draw in (_per_frame, _per_cell, _paired)
    ]
    rows = kinds if len(names) > 1 else [[panel for kind in kinds for panel in kind]]
    kept = [[panel for panel in row if panel is not None] for row in rows]
    return [row for row in kept if row]


def _per_frame(found: Mapping[str, Any], looks: Looks, name: str, number: int) -> Panel | None:
    return curve_panel(
        list(_lines(_of_class(found["curves"], name), "frames", "average_precision")),
        looks,
        name=f"frames{number}",
        caption=f"{name}, per frame",
        x_title="labelled frames",
        y_title="average precision",
    )


def _per_cell(found: Mapping[str, Any], looks: Looks, name: str, number: int) -> Panel | None:
    return curve_panel(
        list(_lines(_of_class(found["curves"], name), "positive_cells", "average_precision")),
        looks,
        name=f"cells{number}",
        caption=f"{name}, per positive cell",
        x_title="labelled positive cells (log axis)",
        y_title="average precision",
        logarithmic=True,
    )


def _paired(found: Mapping[str, Any], looks: Looks, name: str, number: int) -> Panel | None:
    """The differences to the headline's baseline, where that is one of the baselines."""
    baseline = found["headline"]["baseline"]
    frames = {(row["arm"], row["round"]): row["frames"] for row in _of_class(found["curves"], name)}
    rows = [
        {**row, "frames": frames[row["arm"], row["at"]]}
        for row in _of_class(found["comparisons"], name)
        if row["baseline"] == baseline and (row["arm"], row["at"]) in frames
    ]
    return curve_panel(
        list(_lines(rows, "frames", "difference")),
        looks,
        name=f"paired{number}",
        caption=f"{name}, minus {baseline}, paired",
        x_title="labelled frames",
        y_title="difference of AP",
        zero=True,
    )


def selection_panels(rows: Sequence[Row], looks: Looks, *, targets: Sequence[str]) -> list[Panel]:
    """Positives per label, hard negatives, sessions and objects, round by round."""
    by_round = [row for row in rows if row["round"] is not None]
    flat = [{**row, "frames": row["frames"]["mean"]} for row in by_round]
    shown = [
        ("positives_per_label", "Positive cells per label", "cells / frame of the round"),
        ("hard_negative_share", "Hard negatives", "share of the round's frames"),
        ("sessions", "Sessions", "distinct sessions so far"),
    ]
    drawn = [
        _selection_panel(flat, looks, key=key, caption=caption, y_title=y_title) for key, caption, y_title in shown
    ]
    for number, target in enumerate(targets):
        counted = [{**row, f"objects{number}": row["objects"].get(target)} for row in flat]
        drawn.append(
            _selection_panel(
                [row for row in counted if row[f"objects{number}"] is not None],
                looks,
                key=f"objects{number}",
                caption=f"Objects: {target}",
                y_title="labelled objects so far",
            )
        )
    return [panel for panel in drawn if panel is not None]


def _selection_panel(rows: Sequence[Row], looks: Looks, *, key: str, caption: str, y_title: str) -> Panel | None:
    lines = list(_lines(rows, "frames", key))
    return curve_panel(
        lines, looks, name=key.replace("_", ""), caption=caption, x_title="labelled frames", y_title=y_title
    )


def _lines(rows: Sequence[Row], x: str, y: str) -> Iterator[Line]:
    """One line per arm through the rows that have a mean."""
    for arm in dict.fromkeys(row["arm"] for row in rows):
        own = [row for row in rows if row["arm"] == arm and row[y]["mean"] is not None]
        yield Line(
            arm=arm,
            x=tuple(row[x] for row in own),
            y=tuple(row[y]["mean"] for row in own),
            low=tuple(row[y]["low"] for row in own),
            high=tuple(row[y]["high"] for row in own),
        )


def _of_class(rows: Sequence[Row], name: str) -> list[Row]:
    return [row for row in rows if row["class"] == name]
