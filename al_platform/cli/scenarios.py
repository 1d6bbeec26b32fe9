"""`alp scenarios ingest|generate|list|show|render|check`."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from al_platform.cli import parse
from al_platform.cli.home import platform_of
from al_platform.cli.remote import client_of, remote_of
from al_platform.domain.filters import FILTER_HELP
from al_platform.domain.paging import LARGEST_PAGE, PageRequest
from al_platform.errors import InvalidInput

if TYPE_CHECKING:
    from al_platform.client.records import ScenarioRecord
    from al_platform.datasets.scenarios.entering import EnteredScenarios
    from al_platform.domain.scenarios import ScenarioReference
    from sim.scenario import Sizes

scenarios_app = typer.Typer(help="Scenes of traffic that policies drive in.", no_args_is_help=True)

_SHOWN_REFUSED = 20

SizeOption = Annotated[
    list[str] | None, typer.Option(help="NAME=NUMBER, room for agents, steps, route_points, stops, roads, ...")
]


@scenarios_app.command("ingest")
def ingest(
    context: typer.Context,
    format_name: Annotated[str, typer.Argument(metavar="FORMAT", help="womd-json, womd-proto, scenarionet or av2")],
    path: Annotated[Path, typer.Argument(help="A file, or a folder with files of this format at any depth")],
    size: SizeOption = None,
    processes: Annotated[int, typer.Option(min=1, help="Processes that read and prepare")] = os.cpu_count() or 1,
    again: Annotated[bool, typer.Option(help="Read also files that were read before")] = False,
) -> None:
    """Take recorded traffic in. Repeating it changes nothing; broken files are named and passed over."""
    from al_platform.platform.scenarios import ingest_scenarios

    sizes = _sizes(parse.options(size or []))
    with platform_of(context) as platform:
        found = ingest_scenarios(platform, format_name, path, sizes=sizes, processes=processes, again=again)
    _show(found, "files")


@scenarios_app.command("generate")
def generate(
    context: typer.Context,
    count: Annotated[int, typer.Option(help="Scenes 0 to COUNT - 1 of the seed")] = 100,
    seed: Annotated[int, typer.Option(help="The same seed gives the same scenes")] = 0,
    size: SizeOption = None,
    processes: Annotated[int, typer.Option(min=1, help="Processes that draw and prepare")] = os.cpu_count() or 1,
) -> None:
    """Make scenes with roads, traffic and an expert driver. What is there already is not made again."""
    from al_platform.platform.scenarios import generate_scenarios

    sizes = _sizes(parse.options(size or []))
    with platform_of(context) as platform:
        found = generate_scenarios(platform, count, seed=seed, sizes=sizes, processes=processes)
    _show(found, "scenes")


@scenarios_app.command("list")
def list_all(
    context: typer.Context,
    filter_text: Annotated[str, typer.Option("--filter", help=FILTER_HELP)] = "",
    rows: Annotated[int, typer.Option(min=1, max=LARGEST_PAGE, help="Rows to print at most")] = 20,
) -> None:
    """List scenarios, all or those that a filter matches, by session."""
    remote = remote_of(context)
    items: Iterable[ScenarioReference | ScenarioRecord]
    if remote is not None:
        with client_of(remote) as client:
            count = client.count_scenarios(filter_text)
            matched, sessions = count.scenarios, count.sessions
            items = list(islice(client.scenarios(filter_text, page=rows), rows))
    else:
        from al_platform.platform.scenarios import count_scenarios, scenarios

        with platform_of(context) as platform:
            matched, sessions = count_scenarios(platform, filter_text)
            items = scenarios(platform, filter_text, PageRequest(rows)).items
    wide = (Column("scenario", overflow="fold"), Column("session", overflow="fold"))
    table = Table(*wide, "steps", "agents", "lights", "route m", "tags")
    for item in items:
        facts = (str(item.steps), str(item.agents), str(item.lights), f"{item.route_m:.0f}")
        table.add_row(item.scenario_id, escape(item.session_id), *facts, escape(" ".join(item.tags)))
    Console().print(table)
    typer.echo(f"{matched} scenarios of {sessions} sessions match")


@scenarios_app.command("show")
def show(context: typer.Context, scenario_id: str) -> None:
    """Show what is known of a scenario: where it came from, what it holds, and what was mended or dropped."""
    remote = remote_of(context)
    found: ScenarioReference | ScenarioRecord
    if remote is not None:
        with client_of(remote) as client:
            found = client.scenario(scenario_id)
    else:
        from al_platform.platform.scenarios import scenario

        with platform_of(context) as platform:
            found = scenario(platform, scenario_id)
    table = Table("", Column("", overflow="fold"), show_header=False)
    for name, value in asdict(found).items():
        if name not in ("report", "tags"):
            table.add_row(name.replace("_", " "), escape(str(value)))
    table.add_row("tags", escape(" ".join(found.tags)))
    for what, count in found.report.items():
        table.add_row(what, f"{count:g}")
    Console().print(table)


class Light(StrEnum):
    """The choices of --camera."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"


@scenarios_app.command("render")
def render(
    context: typer.Context,
    which: Annotated[str, typer.Argument(metavar="SCENARIO|FILTER", help="An id, or a filter: its first match")],
    out: Annotated[Path, typer.Option(help="A .png is one step, a .gif moves, an .rrd is for the Rerun viewer")],
    step: Annotated[int | None, typer.Option(help="Which step a .png shows; default the middle")] = None,
    every: Annotated[int, typer.Option(help="A .gif shows every so many steps")] = 2,
    span_m: Annotated[float, typer.Option(min=1.0, help="Side of the square seen from above, metres")] = 120.0,
    pixels: Annotated[int, typer.Option(min=16, max=4096, help="Side of the picture from above")] = 480,
    camera: Annotated[Light | None, typer.Option(help="What the ego's camera sees, in this light")] = None,
    rain: Annotated[float, typer.Option(min=0.0, max=1.0, help="How much it rains before the camera")] = 0.0,
) -> None:
    """Draw a scenario from above or through the ego's camera, or write it for the Rerun viewer."""
    from al_platform.platform.scene_pictures import PictureRequest, render_scenario
    from sim.camera import CameraSpec, Daytime

    lens = None if camera is None else CameraSpec(daytime=Daytime(camera.value), rain=rain)
    request = PictureRequest(out=out, step=step, every=every, span_m=span_m, pixels=pixels, camera=lens)
    with platform_of(context) as platform:
        drawn = render_scenario(platform, which, request)
    typer.echo(f"{out}: {drawn.scenario_id} {drawn.session_id} {' '.join(drawn.tags)}".rstrip())


@scenarios_app.command("check")
def check(context: typer.Context) -> None:
    """Read every scenario in the store and name what is torn or was changed."""
    from al_platform.platform.scenarios import faults_of_scenarios

    with platform_of(context) as platform:
        faults = list(faults_of_scenarios(platform))
    for fault in faults:
        typer.echo(fault)
    typer.echo(f"{len(faults)} faults")
    if faults:
        raise typer.Exit(1)


def _sizes(wanted: Mapping[str, str]) -> "Sizes":
    from dataclasses import fields, replace

    from sim.scenario import Sizes

    known = {field.name for field in fields(Sizes)}
    numbers: dict[str, int] = {}
    for name, text in wanted.items():
        if name not in known:
            raise InvalidInput(f"size {name}: known are {', '.join(sorted(known))}")
        if not text.isdecimal() or int(text) < 1:
            raise InvalidInput(f"size {name}={text}: must be a whole number of at least 1")
        numbers[name] = int(text)
    return replace(Sizes(), **numbers)


def _show(found: "EnteredScenarios", sources: str) -> None:
    reasons = Counter(part.reason for part in found.refused)
    table = Table("", "what", "scenarios", "times")
    table.add_row("kept", "", str(found.kept), "")
    for what, (scenarios, times) in found.repairs.items():
        table.add_row("repaired", what, str(scenarios), f"{times:g}")
    for reason, count in reasons.most_common():
        table.add_row("refused", escape(reason), str(count), "")
    Console().print(table)
    for part in found.refused[:_SHOWN_REFUSED]:
        typer.echo(f"refused: {part.origin}: {part.reason}{f': {part.detail}' if part.detail else ''}")
    if len(found.refused) > _SHOWN_REFUSED:
        typer.echo(f"... and {len(found.refused) - _SHOWN_REFUSED} more")
    typer.echo(
        f"{found.sources} {sources} ({found.known} known from before), {found.kept} scenarios, "
        f"{found.added} of them new, {len(found.refused)} refused"
    )
