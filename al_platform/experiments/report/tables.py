"""The summary's rows arranged as tables of text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from al_platform.experiments.report.words import amount, percent, plus_minus, times_within

Summary = Mapping[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Cell:
    """What stands in a table; `verdict` is better, worse or nothing, `note` why the number is missing."""

    text: str
    verdict: str = ""
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table with one row per arm; the first column names it."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


def saving_tables(found: Summary) -> list[Table]:
    """Per class: labels saved per frame and per object, and the areas between the curves, against the yardstick."""
    tables = []
    for name in _classes(found["label_saving"]):
        rows = _where(found["label_saving"], **{"class": name})
        baseline = rows[0]["baseline"]
        areas = _where(found["areas"], **{"class": name, "baseline": baseline})
        header = (
            "fewer frames, times",
            "fewer objects, times",
            f"mean AP per frame, minus {baseline}",
            f"mean AP per positive cell, minus {baseline}",
        )
        lines = tuple((arm, _saving_cells(rows, areas, arm)) for arm in _arms(rows))
        tables.append(Table(name, header, lines))
    return tables


def _saving_cells(rows: Sequence[Row], areas: Sequence[Row], arm: str) -> tuple[Cell, ...]:
    ratios = [_ratio_cell(row) for cost in ("frames", "objects") for row in _where(rows, arm=arm, cost=cost)]
    own = [row for cost in ("frames", "positive cells") for row in _where(areas, arm=arm, cost=cost)]
    return (*ratios, *(difference_cell(row["difference"]) for row in own))


def _ratio_cell(row: Row) -> Cell:
    bounds = row["bound"], row["low_bound"], row["high_bound"]
    text = times_within(row["ratio"], row["low"], row["high"], bounds)
    if row["low"] is None or row["high"] is None:
        return Cell(text, note=row["note"])
    above = row["low"] > 1 and not row["low_bound"]
    below = row["high"] < 1
    return Cell(text, "better" if above else "worse" if below else "", row["note"])


def difference_cell(interval: Row) -> Cell:
    """A mean with its half-width, judged by whether the interval excludes 0."""
    mean, low, high = interval["mean"], interval["low"], interval["high"]
    if low is None or high is None:
        return Cell(plus_minus(mean, None), note=interval["note"])
    verdict = "better" if low > 0 else "worse" if high < 0 else ""
    return Cell(plus_minus(mean, (high - low) / 2), verdict)


def improvement_tables(found: Summary) -> list[Table]:
    """Per class: the gain over the reference model, and how many times that of manual curation (or random)."""
    rounds = _few(sorted({row["round"] for row in found["relative_improvement"]}))
    tables = []
    for name in _classes(found["relative_improvement"]):
        rows = _where(found["relative_improvement"], **{"class": name})
        versus = rows[0]["versus"]
        header = (
            "AP gained at the end",
            *(f"times {versus}, {checkpoint(found, r)}" for r in (rounds if versus else ())),
        )
        lines = tuple((arm, _improvement_cells(_where(rows, arm=arm), rounds)) for arm in _arms(rows))
        tables.append(Table(name, header, lines))
    return tables


def _improvement_cells(rows: Sequence[Row], rounds: Sequence[int]) -> tuple[Cell, ...]:
    by_round = {row["round"]: row for row in rows}
    ratios = [by_round[r]["relative"] if r in by_round else None for r in rounds if rows[0]["versus"]]
    return (difference_cell(rows[-1]["gain"]), *(_relative_cell(relative) for relative in ratios))


def _relative_cell(relative: Row | None) -> Cell:
    if relative is None:
        return Cell("–", note="this arm has no such round")
    low, high = relative["low"], relative["high"]
    text = times_within(relative["mean"], low, high)
    if low is None or high is None:
        return Cell(text, note=relative["note"])
    return Cell(text, "better" if low > 1 else "worse" if high < 1 else "")


def checkpoint(found: Summary, round_index: int) -> str:
    """A round by its labelled frames where all arms have the same, else by its number."""
    frames = {row["frames"] for row in found["curves"] if row["round"] == round_index}
    return f"{amount(frames.pop())} frames" if len(frames) == 1 else f"round {round_index}"


def baseline_tables(found: Summary) -> list[Table]:
    """Per class, on the mean curve: every arm against every baseline."""
    tables = []
    for name in _classes(found["comparisons"]):
        rows = _where(found["comparisons"], **{"class": name, "at": "mean curve"})
        baselines = list(dict.fromkeys(row["baseline"] for row in rows))
        lines = tuple((arm, _against(_where(rows, arm=arm), baselines)) for arm in _arms(rows))
        tables.append(Table(name, tuple(f"minus {baseline}" for baseline in baselines), lines))
    return tables


def _against(rows: Sequence[Row], baselines: Sequence[str]) -> tuple[Cell, ...]:
    known = {row["baseline"]: difference_cell(row["difference"]) for row in rows}
    return tuple(known.get(baseline, Cell("")) for baseline in baselines)


def checkpoint_tables(found: Summary) -> list[Table]:
    """Per class and baseline: every arm at every checkpoint."""
    tables = []
    for name in _classes(found["comparisons"]):
        of_class = _where(found["comparisons"], **{"class": name})
        for baseline in dict.fromkeys(row["baseline"] for row in of_class):
            rows = [row for row in _where(of_class, baseline=baseline) if isinstance(row["at"], int)]
            rounds = list(dict.fromkeys(row["at"] for row in rows))
            lines = tuple(
                (arm, tuple(difference_cell(row["difference"]) for row in _where(rows, arm=arm)))
                for arm in _arms(rows)
            )
            header = tuple(checkpoint(found, r) for r in rounds)
            tables.append(Table(f"{name}, minus {baseline}", header, lines))
    return tables


def selection_table(found: Summary) -> Table | None:
    """What the labels of each arm hold in the end."""
    rows = _where(found["selections"], round=None)
    if not rows:
        return None
    classes = list(dict.fromkeys(name for row in rows for name in row["objects"]))
    header = (
        "frames",
        "sessions",
        "positive cells per label",
        *(f"{name} objects" for name in classes),
        "hard negatives",
    )
    return Table("at the end", header, tuple((row["arm"], _selection_cells(row, classes)) for row in rows))


def _selection_cells(row: Row, classes: Iterable[str]) -> tuple[Cell, ...]:
    amounts = [row["frames"], row["sessions"], row["positives_per_label"]]
    objects = [row["objects"].get(name, {"mean": None}) for name in classes]
    share = row["hard_negative_share"]
    return (*(Cell(amount(one["mean"])) for one in (*amounts, *objects)), Cell(percent(share["mean"])))


def _few(rounds: Sequence[int]) -> list[int]:
    """The first, the middle and the last."""
    return sorted({rounds[0], rounds[(len(rounds) - 1) // 2], rounds[-1]}) if rounds else []


def _where(rows: Iterable[Row], **wanted: object) -> list[Row]:
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def _classes(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(row["class"] for row in rows))


def _arms(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(row["arm"] for row in rows))
