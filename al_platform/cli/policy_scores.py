"""`alp policy score`: what the drivers of a policy disagree on most in a pool of scenarios."""

from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from al_platform.cli import arguments as arg
from al_platform.cli import parse
from al_platform.cli.home import platform_of

DEFAULT_TARGETS = "collision,off_route,red_light,action,surprise,progress"


def score(
    context: typer.Context,
    policy_id: Annotated[str, typer.Argument(help="Policy, pol_...; `alp policy list` shows them")],
    pool: Annotated[str, typer.Option(help="Filter of the scenarios to score; default: all")] = "",
    targets: arg.Targets = DEFAULT_TARGETS,
    drives: arg.Drives = 0,
    top: Annotated[int, typer.Option(help="Scenarios to show, those with the most information first")] = 20,
    scorers: arg.Scorers = 1,
) -> None:
    """Score scenarios by the disagreement of a policy's drivers; nothing is picked, nobody is asked."""
    from al_platform.platform.policy_scores import score_scenarios

    names = parse.names(targets)
    with platform_of(context) as platform:
        found = score_scenarios(platform, policy_id, pool, targets=names, drives=drives, top=top, scorers=scorers)
    table = Table("scenario", "name", "tags", *map(escape, names))
    for each in found.top:
        scores = (f"{each.information[name]:.4f} ({each.aleatoric[name]:.0%})" for name in names)
        scene = each.scenario
        table.add_row(scene.scenario_id, escape(scene.name), escape(", ".join(scene.tags)), *scores)
    Console().print(table)
    typer.echo(f"{found.score_id}: {found.scenarios} scenarios of {found.pool_id}; information in nats (progress: m^2)")
    typer.echo("and, in brackets, the share of what is open that no training takes away")
