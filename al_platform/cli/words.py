"""Figures as the commands print them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import typer
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


class Estimated(Protocol):
    """What is shown of an estimate, whoever made it."""

    @property
    def pool_frames(self) -> int: ...  # noqa: D102
    @property
    def pool_sessions(self) -> int: ...  # noqa: D102
    @property
    def available_frames(self) -> int: ...  # noqa: D102
    @property
    def test_frames(self) -> int: ...  # noqa: D102
    @property
    def labels(self) -> int: ...  # noqa: D102
    @property
    def seconds(self) -> Mapping[str, float | None]: ...  # noqa: D102
    @property
    def based_on(self) -> Mapping[str, int]: ...  # noqa: D102


def show_estimate(estimate: Estimated) -> None:
    """Print what a round would take."""
    typer.echo(
        f"pool {estimate.pool_frames} frames of {estimate.pool_sessions} sessions, {estimate.available_frames} free "
        f"to pick; test set {estimate.test_frames} frames; {estimate.labels} labels to pay for"
    )
    for step, seconds in estimate.seconds.items():
        told = "no past run tells" if seconds is None else f"{seconds:.1f} s, by {estimate.based_on[step]} past ones"
        typer.echo(f"  {step}: {told}")


class Judged(Protocol):
    """What is shown of an event that was detected, whoever counted."""

    @property
    def event(self) -> str: ...  # noqa: D102
    @property
    def confirmed(self) -> int: ...  # noqa: D102
    @property
    def denied(self) -> int: ...  # noqa: D102


class Triaged(Protocol):
    """What is shown of the triage of a round, whoever counted."""

    @property
    def picked(self) -> int: ...  # noqa: D102
    @property
    def accepted(self) -> int: ...  # noqa: D102
    @property
    def bad_recordings(self) -> int: ...  # noqa: D102
    @property
    def duplicates(self) -> int: ...  # noqa: D102
    @property
    def events(self) -> Sequence[Judged]: ...  # noqa: D102


def show_triage(found: Triaged | None) -> None:
    """Print what people said of the scenarios of a round; nothing for a round of frames."""
    if found is None:
        return
    counts = f"{found.accepted} accepted, {found.bad_recordings} bad recordings, {found.duplicates} duplicates"
    typer.echo(f"  triage of {found.picked} scenarios: {counts}")
    for each in found.events:
        typer.echo(f"  {each.event}: real in {each.confirmed} of {each.confirmed + each.denied}")


def show_guard(outputs: Mapping[str, str | int | float]) -> None:
    """Print what a noise guard did in a step that had one."""
    if "guard" in outputs:
        typer.echo(f"  guard kept {outputs['guarded_scenarios']} scenarios away; {outputs['guard']}")


def steps_in_words(runs: Iterable[tuple[str, float, bool]]) -> str:
    """Give steps with their seconds, from name, seconds and whether the result was there already."""
    return ", ".join(f"{step} {seconds:.1f} s{' (known)' if cached else ''}" for step, seconds, cached in runs)
