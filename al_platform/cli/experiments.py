"""`alp ab`, `alp report`, `alp experiments`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from al_platform.cli import arguments as arg
from al_platform.cli import parse
from al_platform.cli.home import platform_of
from al_platform.cli.model import DEFAULT_IMAGE, described_model
from al_platform.domain.rounds import Budget
from al_platform.errors import InvalidInput
from al_platform.platform.data import ingest_dataset

if TYPE_CHECKING:
    from al_platform.experiments.records import ExperimentResult, Thinning


def ab(
    context: typer.Context,
    pool: arg.Pool,
    test: arg.Test,
    targets: arg.Targets,
    strategies: Annotated[
        str, typer.Option(help="Arms, comma-separated: mixdist,random,mi:cap=2,...")
    ] = "mixdist,random",
    seeds: Annotated[int, typer.Option(help="Paired repetitions: start set and initial weights")] = 5,
    rounds: Annotated[int, typer.Option(help="Rounds of every arm")] = 6,
    classes: arg.Classes = "",
    budget: arg.Budget = 40,
    object_budget: arg.ObjectBudget = None,
    start: arg.Start = 40,
    thin: Annotated[str, typer.Option(help="CLASS=N keeps one in N frames that show the class: a long tail")] = "",
    name: Annotated[str, typer.Option(help="Title of the report")] = "A/B test",
    adapter: Annotated[str, typer.Option(help="Ingest --data by this adapter first")] = "",
    data: Annotated[str | None, typer.Option(help="Where the adapter's source lies")] = None,
    family: arg.Family = "prefix-heads",
    members: arg.Members = 8,
    image: arg.Image = DEFAULT_IMAGE,
    setting: arg.Settings = None,
) -> None:
    """Compare strategies on the same start sets, seeds and recipe; writes a report with intervals.

    The same command goes on where it was stopped.
    """
    from al_platform.experiments.records import ExperimentSpec
    from al_platform.platform.experiments import run_ab

    spec = ExperimentSpec(
        name=name,
        model=described_model(
            targets=targets, classes=classes, family=family, members=members, image=image, settings=setting
        ),
        targets=parse.names(targets),
        pool_filter=pool,
        test_filter=test,
        strategies=tuple(parse.strategy(text) for text in parse.names(strategies)),
        budget=Budget(budget, object_budget),
        start=start,
        rounds=rounds,
        seeds=seeds,
        thinning=_thinning(thin),
    )
    with platform_of(context) as platform:
        if adapter:
            found = ingest_dataset(platform, adapter, data, {})
            typer.echo(f"{found.read} read, {found.added} new frames, {len(found.broken)} broken")
        result, path = run_ab(platform, spec)
    _print_curves(result)
    typer.echo(f"report: {path}")


def report(context: typer.Context, experiment_id: str) -> None:
    """Write the report of an experiment again, with the results so far."""
    from al_platform.platform.experiments import report_again

    with platform_of(context) as platform:
        path: Path = report_again(platform, experiment_id)
    typer.echo(f"report: {path}")


def list_all(context: typer.Context) -> None:
    """List all experiments, newest first."""
    from al_platform.platform.experiments import list_experiments

    table = Table(Column("experiment", overflow="fold"), "points", "started (UTC)")
    with platform_of(context) as platform:
        for row in list_experiments(platform):
            table.add_row(str(row["experiment_id"]), str(row["points"]), str(row["created_at"]))
    Console().print(table)


def _thinning(text: str) -> "Thinning | None":
    from al_platform.experiments.records import Thinning

    if not text:
        return None
    class_name, equals, count = text.partition("=")
    if not equals or not count.strip().isdecimal():
        raise InvalidInput(f"thin {text!r}: write CLASS=N, for example living=10")
    return Thinning(class_name.strip(), int(count))


def _print_curves(result: "ExperimentResult") -> None:
    """Mean average precision of each target over the seeds, by arm and number of labelled frames."""
    for target in result.spec.targets:
        checkpoints = sorted({point.round_index for point in result.points})
        frames = {point.round_index: point.frames for point in result.points}
        table = Table(f"AP of {target}", *(f"{frames[index]} frames" for index in checkpoints))
        for arm in dict.fromkeys(point.arm for point in result.points):
            cells = []
            for index in checkpoints:
                values = [
                    point.average_precision[target]
                    for point in result.points
                    if point.arm == arm and point.round_index == index and target in point.average_precision
                ]
                cells.append(f"{sum(values) / len(values):.3f}" if values else "-")
            table.add_row(arm, *cells)
        Console().print(table)
