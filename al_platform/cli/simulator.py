"""`alp sim replay`."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from al_platform.cli.home import platform_of
from al_platform.domain.filters import FILTER_HELP
from al_platform.domain.judging import RATES, Estimate, Stratum

if TYPE_CHECKING:
    from al_platform.policies.driven import DrivenScenario

sim_app = typer.Typer(help="Driving in the scenarios of the store.", no_args_is_help=True)

_SHOWN_FAILURES = 20
_SHOWN_STRATA = 10


class By(StrEnum):
    """The choices of --by."""

    LOG = "log"
    ACTIONS = "actions"


@sim_app.command("replay")
def replay(
    context: typer.Context,
    filter_text: Annotated[str, typer.Option("--filter", help=FILTER_HELP)] = "",
    by: Annotated[By, typer.Option(help="The recorded poses, or the discrete actions that keep nearest to them")] = (
        By.LOG
    ),
    batch: Annotated[int, typer.Option(help="Scenarios driven together")] = 16,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write everything to this file")] = None,
) -> None:
    """Drive the expert through recorded or generated scenarios and say what the metrics make of it."""
    from al_platform.platform.replay import ReplayBy, replay_scenarios
    from al_platform.policies.driven import estimates, strata

    with platform_of(context) as platform:
        driven = replay_scenarios(platform, filter_text, by=ReplayBy(by.value), batch=batch)
    found, worst = estimates(driven), strata(driven)
    if json_path is not None:
        content = {"by": by.value, "filter": filter_text, **_content(driven, found, worst)}
        json_path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")
    _show(driven, found, worst)


def _show(driven: Sequence["DrivenScenario"], found: Mapping[str, Estimate], worst: Sequence[Stratum]) -> None:
    table = Table("measure", Column("mean", justify="right"), "95 % interval", "scenarios")
    for name, value in found.items():
        share = name in RATES
        mean, low, high = (f"{100 * x:.2f} %" if share else f"{x:.3g}" for x in (value.mean, value.low, value.high))
        table.add_row(name.replace("_", " "), mean, f"{low} to {high}", str(value.scenarios))
    console = Console()
    console.print(table)
    failed = [each for each in driven if each.failed]
    for each in failed[:_SHOWN_FAILURES]:
        typer.echo(f"failed: {each.scenario.scenario_id} {each.scenario.session_id}: {each.reason}")
    if len(failed) > _SHOWN_FAILURES:
        typer.echo(f"... and {len(failed) - _SHOWN_FAILURES} more; --json FILE names them all")
    if failed:
        by_tag = Table("tag", "failed", "of", "share")
        for stratum in [stratum for stratum in worst if stratum.failures][:_SHOWN_STRATA]:
            counts = (f"{stratum.failures:g}", str(stratum.scenarios), f"{100 * stratum.rate:.2f} %")
            by_tag.add_row(escape(stratum.name), *counts)
        console.print(by_tag)
    typer.echo(f"{len(driven)} scenarios driven, {len(failed)} failed")


def _content(
    driven: Sequence["DrivenScenario"], found: Mapping[str, Estimate], worst: Sequence[Stratum]
) -> dict[str, Any]:
    """What --json writes: every scenario, and the tables. Numbers that are not finite are null."""
    return {
        "measures": {name: asdict(value) for name, value in found.items()},
        "strata": [{**asdict(stratum), "rate": stratum.rate} for stratum in worst],
        "scenarios": [
            {
                "scenario_id": each.scenario.scenario_id,
                "session_id": each.scenario.session_id,
                "tags": list(each.scenario.tags),
                "failed": each.failed,
                "reason": each.reason,
                "events": dict(each.events),
                "measures": {name: value if math.isfinite(value) else None for name, value in each.measures.items()},
            }
            for each in driven
        ],
    }
