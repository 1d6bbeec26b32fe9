"""`alp policy suite`, `suites`, `evaluate`, `compare`, `fix`, `license` and `leaderboard`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from al_platform.cli import judged
from al_platform.cli.home import platform_of
from al_platform.domain.filters import FILTER_HELP
from al_platform.domain.hashing import to_plain
from al_platform.domain.judging import RATES, JudgeSpec
from al_platform.domain.licences import LicenceSpec
from al_platform.domain.paging import LARGEST_PAGE, PageRequest
from al_platform.errors import InvalidInput

if TYPE_CHECKING:
    from al_platform.platform.home import Platform

NOT_PASSED = 1
"""Exit code where a policy got worse, a fix does not hold or a licence is refused; 2 is for errors."""

_Policy = Annotated[str, typer.Argument(help="Id of a policy, or `expert` for the recorded drivers")]
_Suite = Annotated[str, typer.Option(help="Name or id of a suite; see `alp policy suites`")]
_Reactive = Annotated[bool, typer.Option("--reactive", help="Agents that follow the ego brake for it")]
_Json = Annotated[Path | None, typer.Option("--json", help="Write everything to this file")]


def suite(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the suite is to be called")],
    filter_text: Annotated[str, typer.Option("--filter", help=FILTER_HELP)] = "",
) -> None:
    """Freeze the scenarios that a filter matches now as a suite to judge policies on."""
    from al_platform.platform.judging import freeze_suite

    with platform_of(context) as platform:
        made = freeze_suite(platform, name, filter_text)
    typer.echo(f"suite {made.name} ({made.suite_id}): {made.scenarios} scenarios")


def suites(context: typer.Context) -> None:
    """List the suites."""
    from al_platform.platform.judging import suites as suites_of

    table = Table("suite", Column("id", overflow="fold"), Column("scenarios", justify="right"), "made by filter")
    with platform_of(context) as platform:
        for each in suites_of(platform, PageRequest(LARGEST_PAGE)).items:
            table.add_row(escape(each.name), each.suite_id, str(each.scenarios), escape(each.filter))
    Console().print(table)


def evaluate(
    context: typer.Context, policy: _Policy, suite: _Suite, reactive: _Reactive = False, json_path: _Json = None
) -> None:
    """Drive every scenario of a suite by every driver of a policy, and say how it went."""
    from al_platform.platform.judging import evaluate_policy

    with platform_of(context) as platform:
        found = evaluate_policy(platform, policy, suite, spec=JudgeSpec(reactive=reactive))
    _write(json_path, found)
    judged.show_measures(found.measures)
    judged.show_strata(found.strata)
    if len(found.member_failures) > 1:
        typer.echo("failures by driver: " + ", ".join(f"{100 * share:.2f} %" for share in found.member_failures))
    typer.echo(f"evaluation {found.evaluation_id}: {found.seconds:.1f} s of driving")


def compare(
    context: typer.Context,
    before: _Policy,
    after: _Policy,
    suite: _Suite,
    reactive: _Reactive = False,
    clips: Annotated[int, typer.Option(help="Scenarios to draw that got worse, and as many that got better")] = 10,
    out: Annotated[Path | None, typer.Option(help="Folder for the clips, SCENARIO.gif")] = None,
    progress_margin: Annotated[float, typer.Option(help="A progress ratio lower by less is no regression")] = 0.02,
    json_path: _Json = None,
) -> None:
    """Compare two policies scenario by scenario; exits with 1 where the second is significantly worse."""
    from al_platform.platform.judging import compare_policies
    from al_platform.policies.changes import ComparisonSpec

    wanted = ComparisonSpec(progress_margin=progress_margin, clips=clips if out is not None else 0)
    with platform_of(context) as platform:
        found = compare_policies(platform, before, after, suite, spec=JudgeSpec(reactive=reactive), wanted=wanted)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            for change in (*found.worse, *found.better):
                if change.clip_hash is not None:
                    (out / f"{change.scenario_id}.gif").write_bytes(platform.blobs.get(change.clip_hash))
    _write(json_path, found)
    judged.show_differences(found.differences)
    judged.show_changes("worse", found.worse)
    judged.show_changes("better", found.better)
    typer.echo(f"{len(found.worse)} scenarios got worse, {len(found.better)} better: {found.verdict}")
    if found.verdict == "worse":
        raise typer.Exit(NOT_PASSED)


def fix(
    context: typer.Context,
    scenario: Annotated[str, typer.Argument(help="Id of a scenario, scn_...")],
    before: _Policy,
    after: _Policy,
    variations: Annotated[int, typer.Option(help="How many scenes like it to drive")] = 16,
    seed: Annotated[int, typer.Option(help="Of the variations")] = 0,
) -> None:
    """Say whether the second policy is better in a scenario and all that is like it; exits with 1 where it is not."""
    from al_platform.platform.fixes import fix_holds
    from sim.varying import VariationSpec

    if variations < 1 or seed < 0:
        raise InvalidInput(f"{variations} variations of seed {seed}: must be at least 1, and a seed of at least 0")
    with platform_of(context) as platform:
        found = fix_holds(platform, scenario, before, after, variations=VariationSpec(count=variations, seed=seed))
    for name, value in (("before", found.before), ("after", found.after), ("difference", found.difference)):
        typer.echo(f"{name}: fails {judged.in_percent(value)} of {found.variations} variations")
    passed = "passes" if found.passed else "fails"
    typer.echo(f"the second {passed} the scenario itself; the fix {'holds' if found.holds else 'does not hold'}")
    if not found.holds:
        raise typer.Exit(NOT_PASSED)


def license_(
    context: typer.Context,
    policy: _Policy,
    name: Annotated[str, typer.Option("--licence", help="Name of the licence; known ones need nothing else")],
    suite: Annotated[str, typer.Option(help="Name or id of the suite that it is decided on")] = "",
    most: Annotated[list[str] | None, typer.Option(help=f"RATE=SHARE; rates are {', '.join(RATES)}")] = None,
    progress: Annotated[float | None, typer.Option(help="Least lower bound of the progress ratio")] = None,
    worst_stratum: Annotated[float | None, typer.Option(help="Most failures in any tag, upper bound")] = None,
    stratum_scenarios: Annotated[int, typer.Option(help="Tags of fewer scenarios are not looked at")] = 20,
) -> None:
    """Issue a licence to a policy, or refuse it with every reason (exit code 1); decisions stand for good."""
    from al_platform.platform.licences import license_policy

    asked = dict(_rate(text) for text in most or ())
    with platform_of(context) as platform:
        if suite:
            spec = _asked(platform, name, suite, asked, progress, worst_stratum, stratum_scenarios)
        else:
            spec = _known(platform, name, anything_asked=bool(asked or progress or worst_stratum))
        found = license_policy(platform, policy, spec)
    for check in found.checks:
        typer.echo(f"{'passed' if check.passed else 'FAILED'}  {check.reason}")
    typer.echo(f"licence {spec.name} {'issued' if found.issued else 'refused'}: {found.licence_id}")
    if not found.issued:
        raise typer.Exit(NOT_PASSED)


def leaderboard(context: typer.Context, suite: _Suite, reactive: _Reactive = False) -> None:
    """Rank all policies that drove a suite: by failure rate, then by progress."""
    from al_platform.platform.judging import leaderboard as leaderboard_of

    with platform_of(context) as platform:
        page = leaderboard_of(platform, suite, PageRequest(LARGEST_PAGE), spec=JudgeSpec(reactive=reactive))
    judged.show_standings(page.items)


def _rate(text: str) -> tuple[str, float]:
    rate, _, share = text.partition("=")
    try:
        return rate, float(share)
    except ValueError:
        raise InvalidInput(f"--most {text!r}: must be RATE=SHARE, such as failure=0.05") from None


def _asked(
    platform: "Platform",
    name: str,
    suite: str,
    at_most: dict[str, float],
    progress: float | None,
    worst_stratum: float | None,
    stratum_scenarios: int,
) -> LicenceSpec:
    from al_platform.platform.judging import suite as suite_of

    return LicenceSpec(
        name=name,
        suite_id=suite_of(platform, suite).suite_id,
        at_most=at_most,
        least_progress=progress,
        worst_stratum=worst_stratum,
        stratum_scenarios=stratum_scenarios,
    )


def _known(platform: "Platform", name: str, *, anything_asked: bool) -> LicenceSpec:
    from al_platform.platform.licences import licence_spec

    if anything_asked:
        raise InvalidInput(f"licence {name!r}: says what it asks for without --suite; name the suite")
    return licence_spec(platform, name)


def _write(path: Path | None, record: object) -> None:
    if path is not None:
        path.write_text(json.dumps(to_plain(record), indent=1, allow_nan=False) + "\n")
