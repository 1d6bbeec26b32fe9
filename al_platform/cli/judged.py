"""What the commands of judging print."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from al_platform.domain.judging import PROGRESS, RATES, Change, Estimate, Stratum

if TYPE_CHECKING:
    from al_platform.platform.judging import Standing

_SHOWN = 20
_SHOWN_STRATA = 10


def in_percent(value: Estimate) -> str:
    """Give the mean with its interval: `3.00 % (1.00 to 6.00)`."""
    return f"{100 * value.mean:.2f} % ({100 * value.low:.2f} to {100 * value.high:.2f})"


def show_measures(measures: Mapping[str, Estimate]) -> None:
    """Print means with their intervals; of rates also what they surely are at most."""
    from al_platform.policies.driven import surely_at_most

    right = [Column(title, justify="right") for title in ("mean", "surely at most", "scenarios")]
    table = Table("measure", right[0], "95 % interval", right[1], right[2])
    for name, value in measures.items():
        mean, low, high = (_number(name, part) for part in (value.mean, value.low, value.high))
        bound = _number(name, surely_at_most(value.mean, value.scenarios)) if name in RATES else ""
        table.add_row(name.replace("_", " "), mean, f"{low} to {high}", bound, str(value.scenarios))
    Console().print(table)


def show_differences(differences: Mapping[str, Estimate]) -> None:
    """Print paired differences; * where the interval excludes zero."""
    table = Table("measure", Column("after - before", justify="right"), "95 % interval", "")
    for name, value in differences.items():
        mean, low, high = (_number(name, part) for part in (value.mean, value.low, value.high))
        table.add_row(name.replace("_", " "), mean, f"{low} to {high}", "*" if value.low > 0 or value.high < 0 else "")
    Console().print(table)


def show_strata(strata: Sequence[Stratum]) -> None:
    """Print the strata in which something failed, the worst first."""
    table = Table("tag", Column("failed", justify="right"), Column("of", justify="right"), "share")
    for stratum in [stratum for stratum in strata if stratum.failures][:_SHOWN_STRATA]:
        counts = (f"{stratum.failures:.4g}", str(stratum.scenarios), f"{100 * stratum.rate:.2f} %")
        table.add_row(escape(stratum.name), *counts)
    if table.row_count:
        Console().print(table)


def show_changes(how: str, changes: Sequence[Change]) -> None:
    """Print the scenarios that changed, with what happened before and after."""
    for change in changes[:_SHOWN]:
        before, after = (reason or "nothing" for reason in (change.before_reason, change.after_reason))
        typer.echo(f"{how}: {change.scenario_id} {change.session_id}: before {before}; after {after}")
    if len(changes) > _SHOWN:
        typer.echo(f"... and {len(changes) - _SHOWN} more that got {how}; --json FILE names them all")


def show_standings(standings: "Sequence[Standing]") -> None:
    """Print a leaderboard."""
    wide = Column("policy", overflow="fold")
    table = Table("rank", wide, "failures", "progress", Column("drivers", justify="right"), "licences")
    for each in standings:
        found = each.evaluation
        progress = found.measures.get(PROGRESS)
        table.add_row(
            str(each.rank),
            found.policy_id,
            in_percent(found.measures["failure"]),
            "" if progress is None else in_percent(progress),
            str(len(found.member_failures)),
            escape(", ".join(each.licences)),
        )
    Console().print(table)


def _number(name: str, value: float) -> str:
    return f"{100 * value:.2f} %" if name in RATES else f"{value:.3g}"
