"""The summary's rows arranged as tables of text."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from al_platform.experiments.report.headline import below_one
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
class Group:
    """The rows of a table that belong together: one per arm."""

    name: str
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True)
class Table:
    """Groups of rows under one header; the first column names the arm."""

    header: tuple[str, ...]
    groups: tuple[Group, ...]
    caption: str = ""


def saving_table(found: Summary) -> Table | None:
    """Labels saved per frame and per object, and the areas between the curves, against the yardstick."""
    savings = found["label_saving"]
    if not savings:
        return None
    baseline = savings[0]["baseline"]
    areas = _where(found["areas"], baseline=baseline)
    header = (
        "fewer frames, times",
        "fewer objects, times",
        f"mean AP over frames, minus {baseline}",
        f"mean AP over positive cells (log), minus {baseline}",
    )
    return Table(header, _groups(savings, lambda name, rows: _saving_cells(rows, _of_class(areas, name))))


def _saving_cells(rows: Sequence[Row], areas: Sequence[Row]) -> tuple[Cell, ...]:
    own = _where(areas, arm=rows[0]["arm"])
    ratios = [_ratio_cell(row) for cost in ("frames", "objects") for row in _where(rows, cost=cost)]
    heights = [row["difference"] for cost in ("frames", "positive cells") for row in _where(own, cost=cost)]
    return (*ratios, *(difference_cell(height) for height in heights))


def _ratio_cell(row: Row) -> Cell:
    bounds = row["bound"], row["low_bound"], row["high_bound"]
    text = times_within(row["ratio"], row["low"], row["high"], bounds)
    if row["low"] is None or row["high"] is None:
        return Cell(text, note=row["note"])
    above = row["low"] > 1 and not row["low_bound"]
    below = below_one(row["high"], row["high_bound"])
    return Cell(text, "better" if above else "worse" if below else "", row["note"])


def difference_cell(interval: Row) -> Cell:
    """A mean with its half-width, judged by whether the interval excludes 0."""
    half = half_width(interval)
    text = plus_minus(interval["mean"], half)
    if half is None:
        return Cell(text, note=interval["note"])
    return Cell(text, "better" if interval["low"] > 0 else "worse" if interval["high"] < 0 else "")


def half_width(interval: Row) -> float | None:
    """Half of an interval of the summary, where it has one."""
    low, high = interval["low"], interval["high"]
    return None if low is None or high is None else float(high - low) / 2


def improvement_table(found: Summary) -> Table | None:
    """The gain over the reference model, and how many times that of manual curation (or random)."""
    gains = found["relative_improvement"]
    if not gains:
        return None
    versus, rounds = gains[0]["versus"], _few(sorted({row["round"] for row in gains}))
    ratios = [f"times {versus}, {checkpoint(found, r)}" for r in rounds if versus]
    return Table(("AP gained at the end", *ratios), _groups(gains, lambda _, rows: _improvement_cells(rows, rounds)))


def _improvement_cells(rows: Sequence[Row], rounds: Sequence[int]) -> tuple[Cell, ...]:
    by_round = {row["round"]: row for row in rows}
    ratios = [by_round[r]["relative"] if r in by_round else None for r in rounds if rows[0]["versus"]]
    gain = rows[-1]["gain"]
    text = plus_minus(gain["mean"], half_width(gain))
    if rows[0]["arm"] == rows[0]["versus"]:
        return (Cell(text, note=gain["note"]), *(Cell("1") for _ in ratios))
    return (Cell(text, note=gain["note"]), *(_relative_cell(relative) for relative in ratios))


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


def baseline_table(found: Summary) -> Table | None:
    """On the mean curve: every arm against every baseline."""
    rows = _where(found["comparisons"], at="mean curve")
    baselines = list(dict.fromkeys(row["baseline"] for row in rows))
    if not baselines:
        return None
    header = tuple(f"minus {baseline}" for baseline in baselines)
    return Table(header, _groups(rows, lambda _, own: _against(own, baselines)))


def _against(rows: Sequence[Row], baselines: Sequence[str]) -> tuple[Cell, ...]:
    known = {row["baseline"]: difference_cell(row["difference"]) for row in rows}
    return tuple(known.get(baseline, Cell("")) for baseline in baselines)


def checkpoint_tables(found: Summary) -> list[Table]:
    """Per baseline: every arm at every checkpoint."""
    rows = [row for row in found["comparisons"] if isinstance(row["at"], int)]
    tables = []
    for baseline in dict.fromkeys(row["baseline"] for row in rows):
        own = _where(rows, baseline=baseline)
        rounds = list(dict.fromkeys(row["at"] for row in own))
        header = tuple(checkpoint(found, r) for r in rounds)
        groups = _groups(own, lambda _, of_arm: tuple(difference_cell(row["difference"]) for row in of_arm))
        tables.append(Table(header, groups, caption=f"minus {baseline}"))
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
    return Table(header, (Group("", tuple((row["arm"], _selection_cells(row, classes)) for row in rows)),))


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


def _of_class(rows: Iterable[Row], name: str) -> list[Row]:
    return _where(rows, **{"class": name})


def _groups(rows: Sequence[Row], cells: Callable[[str, list[Row]], tuple[Cell, ...]]) -> tuple[Group, ...]:
    """One group per class, one row per arm: its cells from the class and the arm's rows."""
    made = []
    for name in dict.fromkeys(row["class"] for row in rows):
        own = _of_class(rows, name)
        arms = dict.fromkeys(row["arm"] for row in own)
        made.append(Group(name, tuple((arm, cells(name, _where(own, arm=arm))) for arm in arms)))
    return tuple(made)
