"""Figures as the commands print them."""

from collections.abc import Iterable, Mapping

from rich.markup import escape
from rich.table import Column, Table

from al_platform.domain.labels import CONTROL_CLASS


def quality(classes: Iterable[str], found: Mapping[str, float]) -> str:
    """Give the metric of each class in words; one that could not be measured says why."""
    return ", ".join(
        f"{name} {found[name]:.3f}" if name in found else f"{name} – (none in the test set)" for name in classes
    )


def rounds_table() -> Table:
    """Give the empty list of rounds: round, state, strategy, budget, trained on, appended."""
    wide = [Column(title, overflow="fold") for title in ("round", "trained on", "appended")]
    return Table(wide[0], "state", "strategy", "budget", *wide[1:])


def picks_table() -> Table:
    """Give the empty list of picks, to be filled by `pick_row`."""
    return Table("rank", Column("frame", overflow="fold"), "for class", "score")


def pick_row(rank: int, frame_id: str, for_class: str, score: float) -> tuple[str, ...]:
    """Give the row of a pick; a control pick has no score."""
    return str(rank), frame_id, escape(for_class), "" if for_class == CONTROL_CLASS else f"{score:.5g}"


def steps_in_words(runs: Iterable[tuple[str, float, bool]]) -> str:
    """Give steps with their seconds, from name, seconds and whether the result was there already."""
    return ", ".join(f"{step} {seconds:.1f} s{' (known)' if cached else ''}" for step, seconds, cached in runs)
