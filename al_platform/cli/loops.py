"""`alp loop create|list|show|pause|resume|cancel`: loops that a service runs."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from al_platform.cli import arguments as arg
from al_platform.cli import remote
from al_platform.cli.asked import Asked
from al_platform.cli.home import HERE, idle_service_of
from al_platform.cli.model import DEFAULT_IMAGE
from al_platform.cli.rounds import Dataset, loop_app
from al_platform.domain.driving import HELD_OUT
from al_platform.domain.loops import CONTROL_SHARE, Closing, LoopSpec, Plateau, Stopping, Trigger
from al_platform.domain.paging import LARGEST_PAGE, PageRequest
from al_platform.errors import InvalidInput

__all__ = ["loop_app"]

if TYPE_CHECKING:
    from al_platform.client.records import LoopRecord, LoopRoundRecord
    from al_platform.domain.loops import LoopRound
    from al_platform.platform.loops import LoopStatus
    from al_platform.platform.service import Service

Strategy = Annotated[
    str, typer.Option(help=f"How to pick, as for `alp round run`; control={CONTROL_SHARE:g} unless it says otherwise")
]


@loop_app.command("create")
def create(
    context: typer.Context,
    pool: arg.Pool,
    targets: arg.Targets,
    name: Annotated[str, typer.Option(help="Tells loops apart that begin alike")] = "",
    rounds: Annotated[int | None, typer.Option(help="At most so many; default: no limit")] = None,
    cron: Annotated[str, typer.Option(help="When a round may begin, UTC: '0 3 * * *' for 03:00")] = "",
    grown_by: Annotated[int, typer.Option(help="New frames of the pool before the next round begins")] = 0,
    share: Annotated[float, typer.Option(help="Share of a round's labels that suffices")] = 1.0,
    deadline: Annotated[float | None, typer.Option(help="Hours after which the labels that are in suffice")] = None,
    labels: Annotated[int | None, typer.Option(help="Labels that all rounds may take together")] = None,
    plateau: Annotated[
        str, typer.Option(help="ROUNDS/GAIN: end when so many rounds surely gain less a round, as in 5/0.002")
    ] = "",
    information: Annotated[float | None, typer.Option(help="End when the pool's mean nats are below")] = None,
    warm_start: Annotated[bool, typer.Option("--warm-start", help="Members begin as those of the last round")] = False,
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
    """Make a loop, which the service runs; on a home that none holds, the next `alp serve` takes it up."""
    asked = Asked.of(context)
    if "control=" not in strategy:
        asked = replace(asked, strategy=f"{asked.strategy_text}:control={CONTROL_SHARE:g}")
    loop = LoopSpec(
        first=asked.spec(),
        rounds=rounds,
        name=name,
        pool=pool,
        trigger=Trigger(cron, grown_by),
        closing=Closing(share, None if deadline is None else 3600.0 * deadline),
        stopping=Stopping(labels, _plateau(plateau), information),
        warm_start=warm_start,
        scorers=scorers,
    )
    server = remote.remote_of(context)
    if server is not None:
        with remote.client_of(server) as client:
            _tell(client.create_loop(_body(asked, loop), idempotency_key=uuid.uuid4().hex))
        return
    with idle_service_of(context) as service:
        from al_platform.platform.loops import LoopRequest, create_loop

        request = LoopRequest(loop, test=test, start=start)
        _tell_status(create_loop(service, request, actor=HERE, key=uuid.uuid4().hex)[0])


@loop_app.command("list")
def list_all(context: typer.Context) -> None:
    """List the loops that services run, oldest first."""
    table = Table(Column("loop", overflow="fold"), "name", "state", "rounds", "labels", "metric", "gain", "message")
    server = remote.remote_of(context)
    if server is not None:
        with remote.client_of(server) as client:
            for loop in reversed(list(client.loops())):
                metric, gain = _figure(loop.metric), _figure(loop.gain)
                counts = (str(loop.appended_rounds), str(loop.labels))
                table.add_row(loop.loop_id, escape(loop.name), loop.state, *counts, metric, gain, escape(loop.message))
    else:
        with idle_service_of(context) as service:
            for status in reversed(list(_all_loops(service))):
                table.add_row(*_row(status))
    Console().print(table)


@loop_app.command("show")
def show(context: typer.Context, loop_id: str) -> None:
    """Show a loop and what its rounds showed."""
    server = remote.remote_of(context)
    if server is not None:
        with remote.client_of(server) as client:
            _tell(client.loop(loop_id))
            _show_rounds(client.loop_rounds(loop_id))
        return
    with idle_service_of(context) as service:
        from al_platform.platform.loops import show_loop

        status = show_loop(service.platform, loop_id)
    _tell_status(status)
    _show_rounds(list(status.rounds))


@loop_app.command("pause")
def pause(context: typer.Context, loop_id: str) -> None:
    """Let no further round begin; the one that is on its way goes on."""
    _change(context, loop_id, "pause")


@loop_app.command("resume")
def resume(context: typer.Context, loop_id: str) -> None:
    """Go on with a paused loop."""
    _change(context, loop_id, "resume")


@loop_app.command("cancel")
def cancel(context: typer.Context, loop_id: str) -> None:
    """End a loop for good, and the round of it that is on its way."""
    _change(context, loop_id, "cancel")


def _body(asked: Asked, loop: LoopSpec) -> dict[str, Any]:
    """What a service is asked, as plain data."""
    return {
        "round": asked.body(),
        "name": loop.name,
        "rounds": loop.rounds,
        "trigger": asdict(loop.trigger),
        "closing": asdict(loop.closing),
        "stopping": asdict(loop.stopping),
        "warm_start": loop.warm_start,
        "control_share": loop.first.strategy.control_share,
    }


def _change(context: typer.Context, loop_id: str, verb: str) -> None:
    server = remote.remote_of(context)
    if server is not None:
        with remote.client_of(server) as client:
            asked = {"pause": client.pause_loop, "resume": client.resume_loop, "cancel": client.cancel_loop}
            _tell(asked[verb](loop_id))
        return
    with idle_service_of(context) as service:
        from al_platform.platform import loops

        changes: dict[str, Callable[..., LoopStatus]] = {
            "pause": loops.pause_loop,
            "resume": loops.resume_loop,
            "cancel": loops.cancel_loop,
        }
        _tell_status(changes[verb](service, loop_id, actor=HERE))


def _all_loops(service: "Service") -> "Iterator[LoopStatus]":
    from al_platform.platform.loops import list_loops

    page = PageRequest(LARGEST_PAGE)
    while True:
        found = list_loops(service.platform, None, page)
        yield from found.items
        if found.after is None:
            return
        page = PageRequest(LARGEST_PAGE, found.after)


def _row(status: "LoopStatus") -> tuple[str, ...]:
    appended = [each for each in status.rounds if each.appended]
    metrics = [each.metric for each in appended if each.metric is not None]
    counts = (str(len(appended)), str(sum(each.labels for each in appended)))
    figures = (_figure(metrics[-1] if metrics else None), _figure(status.gain))
    run = status.run
    return (run.loop_id, escape(status.spec.name), run.state, *counts, *figures, escape(run.message))


def _show_rounds(rounds: "list[LoopRoundRecord] | list[LoopRound]") -> None:
    table = Table("number", Column("round", overflow="fold"), "ended", "pool", "labels", "metric", "gain")
    for each in rounds:
        figures = (_figure(each.metric), _figure(each.gain))
        table.add_row(
            str(each.number), each.round_id, each.ended_at or "", str(each.pool_frames), str(each.labels), *figures
        )
    Console().print(table)


def _tell(loop: "LoopRecord") -> None:
    typer.echo(f"{loop.loop_id} {loop.state}  {loop.message}".rstrip())


def _tell_status(status: "LoopStatus") -> None:
    typer.echo(f"{status.run.loop_id} {status.run.state}  {status.run.message}".rstrip())


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _plateau(text: str) -> Plateau | None:
    if not text:
        return None
    window, slash, gain = text.partition("/")
    try:
        return Plateau(int(window), float(gain)) if slash else Plateau(int(window))
    except ValueError:
        raise InvalidInput(f"plateau {text!r}: write ROUNDS/GAIN, for example 5/0.002") from None
