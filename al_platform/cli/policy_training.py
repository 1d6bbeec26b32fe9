"""`alp policy bc|rl|list|show`."""

from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Column, Table

from al_platform.cli import parse
from al_platform.cli.home import platform_of
from al_platform.cli.interrupts import INTERRUPTED, stopping_softly
from al_platform.domain.policies import CloningRecipe, CurvePoint, PolicySpec, PolicyVersion, PracticeRecipe, Rewards
from al_platform.domain.policy_requests import PolicyRequest
from al_platform.errors import CorruptBlob, InvalidInput, NotFound, Stopped

if TYPE_CHECKING:
    from al_platform.platform.home import Platform

Recipe = TypeVar("Recipe", CloningRecipe, PracticeRecipe, Rewards)

Scenes = Annotated[
    str, typer.Option("--on", metavar="DSV|FILTER", help="Learn from this dataset version, or from what matches")
]
HeldOut = Annotated[
    str, typer.Option("--held-out", metavar="DSV|FILTER", help="Measure the learning curve on these scenarios")
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A number of the recipe, such as updates=2000")
]
Earned = Annotated[
    list[str] | None,
    typer.Option("--reward", metavar="NAME=VALUE", help="A weight of the rewards, such as progress=0.1"),
]
Share = Annotated[
    list[str] | None, typer.Option("--curriculum", metavar="SHARE:FILTER", help="How much is drawn from what matches")
]
Seed = Annotated[int, typer.Option(help="Of weights and draws")]
Picture = Annotated[Path | None, typer.Option("--picture", help="Draw the learning curve, .png or .svg")]


def bc(
    context: typer.Context,
    scenes: Scenes = "",
    held_out: HeldOut = "",
    network: Annotated[str, typer.Option(help="xs, s, m or l")] = "xs",
    members: Annotated[int, typer.Option(min=1, help="Drivers of the ensemble")] = 1,
    agents: Annotated[int, typer.Option(min=1, help="Closest agents that a driver sees")] = 24,
    roads: Annotated[int, typer.Option(min=1, help="Closest road elements that it sees")] = 32,
    settings: Settings = None,
    reward: Earned = None,
    curriculum: Share = None,
    seed: Seed = 0,
    picture: Picture = None,
) -> None:
    """Clone drivers from recorded drives: what to do, and what it earns."""
    spec = PolicySpec(
        network=network,
        members=members,
        agents=agents,
        roads=roads,
        rewards=_with(Rewards(), reward),
        cloning=_with(CloningRecipe(), settings),
    )
    with platform_of(context) as platform:
        _train(platform, spec, (scenes, held_out), curriculum=curriculum, seed=seed, picture=picture)


def rl(
    context: typer.Context,
    parent: Annotated[str, typer.Option("--from", metavar="POLICY", help="Go on from this policy")] = "",
    scenes: Scenes = "",
    held_out: HeldOut = "",
    network: Annotated[str, typer.Option(help="xs, s, m or l, where no policy is gone on from")] = "xs",
    members: Annotated[int, typer.Option(min=1, help="Drivers, where no policy is gone on from")] = 1,
    settings: Settings = None,
    reward: Earned = None,
    curriculum: Share = None,
    seed: Seed = 0,
    picture: Picture = None,
) -> None:
    """Let drivers practise on the simulator, best from a clone on."""
    from al_platform.platform.policies import policy

    recipe = _with(PracticeRecipe(), settings)
    with platform_of(context) as platform:
        spec = PolicySpec(network=network, members=members, practice=recipe)
        if parent:
            spec = replace(policy(platform, parent).spec, cloning=None, practice=recipe)
        spec = replace(spec, rewards=_with(spec.rewards, reward))
        _train(platform, spec, (scenes, held_out), parent=parent, curriculum=curriculum, seed=seed, picture=picture)


def list_all(context: typer.Context) -> None:
    """List policies, oldest first. One whose curve is lost is listed without."""
    from al_platform.platform.policies import curve_of, policies

    wide = [Column(title, overflow="fold") for title in ("policy", "trained on", "from")]
    table = Table(wide[0], "learned by", "network", "drivers", *wide[1:], "steps", "failures", "progress")
    with platform_of(context) as platform:
        for each in policies(platform):
            try:
                last = curve_of(platform, each.policy_id).points[-1]
                learned = f"{last.agent_steps:,}", *_measured(last)
            except (NotFound, CorruptBlob):
                learned = "curve lost", "", ""
            table.add_row(
                each.policy_id,
                _how(each.spec),
                each.spec.network,
                str(each.spec.members),
                each.dataset_version_id,
                each.parent_id or "",
                *learned,
            )
    Console().print(table)


def show(context: typer.Context, policy_id: str, picture: Picture = None) -> None:
    """Show how a policy was trained and its learning curve."""
    from al_platform.platform.policies import curve_of, policy

    with platform_of(context) as platform:
        found = policy(platform, policy_id)
        points = curve_of(platform, policy_id).points
        _draw(platform, found, picture)
    for name, value in _facts(found).items():
        typer.echo(f"{name}: {value}")
    table = Table("step", "steps driven", "failures", "progress", "loss")
    for point in points:
        loss = f"{point.terms['loss']:.4g}" if "loss" in point.terms else ""
        table.add_row(f"{point.step:,}", f"{point.agent_steps:,}", *_measured(point), loss)
    Console().print(table)


def _train(
    platform: "Platform",
    spec: PolicySpec,
    scenes: tuple[str, str],
    *,
    parent: str = "",
    curriculum: list[str] | None,
    seed: int,
    picture: Path | None,
) -> None:
    from al_platform.platform.policies import train_policy, version_of

    _check_picture(picture)
    on, held_out = scenes
    request = PolicyRequest(
        spec=spec,
        dataset_version_id=version_of(platform, on),
        held_out_version_id=version_of(platform, held_out) if held_out else None,
        parent_id=parent or None,
        seed=seed,
        curriculum=parse.curriculum(curriculum or []),
    )
    with stopping_softly(platform.report) as report:
        try:
            made = train_policy(replace(platform, report=report), request)
        except Stopped:
            typer.echo("alp: interrupted; the state is kept, run the same command to go on from there", err=True)
            raise typer.Exit(INTERRUPTED) from None
    _draw(platform, made, picture)
    typer.echo(f"policy {made.policy_id}")


def _with(recipe: Recipe, settings: list[str] | None) -> Recipe:
    kinds = {field.name: type(getattr(recipe, field.name)) for field in fields(recipe)}
    changes: dict[str, Any] = {}
    for name, text in parse.options(settings or []).items():
        if name not in kinds:
            raise InvalidInput(f"{name}: known are {', '.join(sorted(kinds))}")
        try:
            changes[name] = kinds[name](text)
        except ValueError:
            what = "a whole number" if kinds[name] is int else "a number"
            raise InvalidInput(f"{name}={text}: must be {what}") from None
    return replace(recipe, **changes)


def _how(spec: PolicySpec) -> str:
    return "cloning" if spec.cloning is not None else "practice"


def _measured(point: CurvePoint) -> tuple[str, str]:
    shown = [point.measures.get(name) for name in ("failure", "progress_ratio")]
    first, second = ("" if value is None else f"{100.0 * value:.1f} %" for value in shown)
    return first, second


def _facts(found: PolicyVersion) -> Mapping[str, object]:
    recipe = found.spec.cloning or found.spec.practice
    assert recipe is not None  # a spec has one of the two
    facts: dict[str, object] = {
        "policy": found.policy_id,
        "learned by": _how(found.spec),
        "recipe": ", ".join(f"{field.name} {getattr(recipe, field.name):g}" for field in fields(recipe)),
        "network": f"{found.spec.network}, {found.spec.members} drivers",
        "trained on": found.dataset_version_id,
        "from": found.parent_id or "fresh weights",
        "seed": found.seed,
    }
    if found.held_out_share:
        facts["held out"] = f"{100.0 * found.held_out_share:g} % of the sessions, on which its curve is measured"
    if found.cost is not None:
        facts["took"] = f"{found.cost.seconds:.0f} s, {found.cost.cpu_seconds:.0f} s of processors"
    return facts


def _check_picture(picture: Path | None) -> None:
    if picture is not None and picture.suffix not in (".png", ".svg"):
        raise InvalidInput(f"picture {picture}: must end in .png or .svg")
    if picture is not None and not picture.parent.is_dir():
        raise InvalidInput(f"picture {picture}: {picture.parent} is no folder; make it first, or name another")


def _draw(platform: "Platform", found: PolicyVersion, picture: Path | None) -> None:
    from al_platform.platform.policies import curve_of
    from al_platform.policies.pictures import draw_curves

    _check_picture(picture)
    if picture is not None:
        curves = {_how(found.spec): curve_of(platform, found.policy_id)}
        picture.write_bytes(draw_curves(curves, kind=picture.suffix[1:]))
        typer.echo(f"learning curve in {picture}")
