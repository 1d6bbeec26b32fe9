"""`alp round run|show|list|verify` and `alp loop run`."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from al_platform.cli import arguments as arg
from al_platform.cli import remote
from al_platform.cli.asked import Asked
from al_platform.cli.home import platform_of
from al_platform.cli.model import DEFAULT_IMAGE
from al_platform.cli.words import (
    pick_row,
    picks_table,
    quality,
    rounds_table,
    show_estimate,
    show_guard,
    show_triage,
    steps_in_words,
)
from al_platform.domain.driving import HELD_OUT
from al_platform.domain.loops import LoopSpec
from al_platform.domain.runs import RoundRequest

if TYPE_CHECKING:
    from al_platform.platform.rounds import RoundDetails

round_app = typer.Typer(help="One acquisition round.", no_args_is_help=True)
loop_app = typer.Typer(help="Rounds in a row: TRAIN, QUERY, ANNOTATE, APPEND.", no_args_is_help=True)

Strategy = Annotated[
    str,
    typer.Option(
        help="How to pick, default mixdist; of scenarios mass where all targets are events or tags, else mi; with "
        "limits where wanted: mixdist, mi:cap=2:gap=1.5:quota=weather/10:control=0.1, of scenarios mi:guard=0.5, ..."
    ),
]
Dataset = Annotated[str, typer.Option(help="Dataset version to train on; default: a start set")]


@round_app.command("run")
def run(
    context: typer.Context,
    pool: arg.Pool,
    targets: arg.Targets,
    classes: arg.Classes = "",
    test: arg.Test = "",
    strategy: Strategy = "",
    filter_text: arg.Filter = "",
    budget: arg.Budget = 40,
    object_budget: arg.ObjectBudget = None,
    dataset: Dataset = "",
    start: arg.Start = 40,
    seed: arg.Seed = 0,
    scorers: arg.Scorers = 1,
    annotator: arg.Annotator = "offline",
    queue: arg.Queue = "main",
    family: arg.Family = "prefix-heads",
    members: arg.Members = 8,
    policy: arg.Policy = "",
    drives: arg.Drives = 0,
    train_policy: arg.TrainPolicy = None,
    parent: arg.Parent = "",
    hold_out: arg.HoldOut = HELD_OUT,
    image: arg.Image = DEFAULT_IMAGE,
    setting: arg.Settings = None,
    curriculum: arg.Curriculum = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would take; nothing is kept")] = False,
) -> None:
    """Run one round: train, score, select, label, append. The same command goes on where it was stopped."""
    asked = Asked.of(context)
    server = remote.remote_of(context)
    if server is not None:
        if dry_run:
            remote.estimate_round(server, asked.body())
        else:
            remote.run_round(server, asked.body())
        return
    from al_platform.platform.estimates import estimate_round
    from al_platform.platform.rounds import prepare_round, round_details, run_one_round

    wanted = asked.spec()
    with platform_of(context) as platform:
        if dry_run:
            show_estimate(estimate_round(platform, RoundRequest(wanted, pool=pool, test=test, start=start)))
            return
        spec = prepare_round(platform, wanted, pool=pool, test=test, start=start)
        round_ = run_one_round(platform, spec, scorers=scorers)
        _show(round_details(platform, round_.round_id))


@round_app.command("list")
def list_all(context: typer.Context) -> None:
    """List all rounds, oldest first."""
    server = remote.remote_of(context)
    if server is not None:
        remote.list_rounds(server)
        return
    from al_platform.platform.rounds import list_rounds

    table = rounds_table()
    with platform_of(context) as platform:
        for round_ in list_rounds(platform):
            spec = round_.spec
            table.add_row(
                round_.round_id,
                round_.state.value,
                spec.strategy.name,
                str(spec.budget.frames),
                spec.dataset_version_id,
                round_.dataset_version_id or "",
            )
    Console().print(table)


@round_app.command("show")
def show(context: typer.Context, round_id: str) -> None:
    """Show a round: its steps, how good its ensemble is, what it picked, and what people said of scenarios."""
    server = remote.remote_of(context)
    if server is not None:
        remote.show_round(server, round_id)
        return
    from al_platform.platform.rounds import round_details
    from al_platform.platform.triage import round_triage

    with platform_of(context) as platform:
        details = round_details(platform, round_id)
        said = round_triage(platform, details.round)
    _show(details)
    show_triage(said)
    table = picks_table()
    for pick in details.selections:
        table.add_row(*pick_row(pick.rank, pick.item_id, pick.for_class, pick.score))
    Console().print(table)


@round_app.command("verify")
def verify(context: typer.Context, round_id: str) -> None:
    """Select again from the stored inputs; exit code 1 and the first difference where the picks are not equal."""
    from al_platform.platform.rounds import verify_round

    server = remote.remote_of(context)
    if server is not None:
        differences = remote.verify_round(server, round_id)
    else:
        with platform_of(context) as platform:
            differences = verify_round(platform, round_id)
    if differences:
        typer.echo(f"{round_id}: {len(differences)} differences; the first: {differences[0]}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{round_id}: selected again from its stored inputs, every pick is equal")


@round_app.command("correct")
def correct(
    context: typer.Context,
    round_id: str,
    onto: Annotated[str, typer.Option(help="Dataset version to correct; default: the newest of the round")] = "",
) -> None:
    """Take in what annotators changed after the round was appended, as a new dataset version."""
    from al_platform.platform.rounds import correct_round

    with platform_of(context) as platform:
        version = correct_round(platform, round_id, onto=onto)
    typer.echo(f"{version.version_id} has the changes, {version.items} labelled frames" if version else "no changes")


@round_app.command("annotators")
def annotators(
    context: typer.Context,
    round_id: str,
    gold: Annotated[str, typer.Option(help="Dataset version whose boxes are the truth for frames asked again")] = "",
) -> None:
    """Show who labelled how much, how fast, and how far they agree with each other and with the truth."""
    from al_platform.platform.labels import annotators_of_round

    table = Table("annotator", "answers", "rejected", "unusable", "minutes", "s a frame", "agreement", "with truth")
    with platform_of(context) as platform:
        for its in annotators_of_round(platform, round_id, gold=gold):
            counts = (str(its.answers), str(its.rejected), str(its.unusable), f"{its.seconds / 60:.1f}")
            measures = (its.median_seconds, its.agreement, its.gold_agreement)
            table.add_row(its.annotator, *counts, *("" if its is None else f"{its:.2f}" for its in measures))
    Console().print(table)


@loop_app.command("run")
def run_loop(
    context: typer.Context,
    pool: arg.Pool,
    targets: arg.Targets,
    rounds: Annotated[int, typer.Option(help="Rounds to run")] = 3,
    classes: arg.Classes = "",
    test: arg.Test = "",
    strategy: Strategy = "",
    filter_text: arg.Filter = "",
    budget: arg.Budget = 40,
    object_budget: arg.ObjectBudget = None,
    dataset: Dataset = "",
    start: arg.Start = 40,
    seed: arg.Seed = 0,
    scorers: arg.Scorers = 1,
    annotator: arg.Annotator = "offline",
    queue: arg.Queue = "main",
    family: arg.Family = "prefix-heads",
    members: arg.Members = 8,
    policy: arg.Policy = "",
    drives: arg.Drives = 0,
    train_policy: arg.TrainPolicy = None,
    parent: arg.Parent = "",
    hold_out: arg.HoldOut = HELD_OUT,
    image: arg.Image = DEFAULT_IMAGE,
    setting: arg.Settings = None,
    curriculum: arg.Curriculum = None,
) -> None:
    """Run rounds in a row. The same command goes on where it was stopped."""
    from al_platform.platform.rounds import prepare_round, run_rounds

    asked = Asked.of(context)
    loop = LoopSpec(asked.spec(), rounds)
    with platform_of(context) as platform:
        first = prepare_round(platform, loop.first, pool=pool, test=test, start=start)
        for details in run_rounds(platform, replace(loop, first=first), scorers=scorers):
            _show(details)


def _show(details: "RoundDetails") -> None:
    round_ = details.round
    steps = steps_in_words((run.step, run.seconds, run.cached) for run in details.steps)
    typer.echo(f"{round_.round_id} {round_.state.value}  {steps}")
    if round_.of_scenarios and round_.ensemble_id:
        typer.echo(f"  drivers of {round_.ensemble_id}")
    if details.metrics:
        found = details.metrics.get("average_precision", {})
        typer.echo(f"  average precision of {round_.ensemble_id}: {quality(round_.spec.model.classes, found)}")
    for run in details.steps:
        picked = run.outputs.get("selected_frames", round_.spec.budget.frames)
        if picked != round_.spec.budget.frames:
            typer.echo(f"  picked {picked} of {round_.spec.budget.frames} frames: pool and limits allow no more")
        show_guard(run.outputs)
    if round_.message:
        typer.echo(f"  {round_.message}")
