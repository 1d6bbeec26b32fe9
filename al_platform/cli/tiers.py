"""`alp tier hot|list|drop`."""

import re
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from al_platform.cli.home import platform_of
from al_platform.errors import InvalidInput

tier_app = typer.Typer(help="Frames kept on the local disk for a training.", no_args_is_help=True)

_SHOWN_BROKEN = 20
_MB = 10**6


@tier_app.command("hot")
def hot(
    context: typer.Context,
    filter_text: Annotated[str, typer.Option("--filter", help="Frames to copy: NAME=A|B,NAME>=NUMBER,...")] = "",
    dataset: Annotated[str, typer.Option(help="Dataset version whose frames to copy")] = "",
    image: Annotated[str, typer.Option(help="Decoded to WIDTHxHEIGHT pixels; default: the files as they are")] = "",
) -> None:
    """Copy frames from the archive to the local disk; an interrupted copy resumes, broken frames are named."""
    from al_platform.platform.tiers import heat_tier

    size = _size(image)
    with platform_of(context) as platform:
        heated = heat_tier(platform, filter_text=filter_text, version_id=dataset, image=size)
    tier = heated.tier
    typer.echo(
        f"{tier.spec.tier_id}: {tier.frames} of {tier.spec.wanted} frames, {tier.size_bytes / _MB:.1f} MB, "
        f"{len(heated.unreadable)} broken"
    )
    for frame_id, reason in list(heated.unreadable.items())[:_SHOWN_BROKEN]:
        typer.echo(f"broken: {frame_id}: {reason}")
    if len(heated.unreadable) > _SHOWN_BROKEN:
        typer.echo(f"... and {len(heated.unreadable) - _SHOWN_BROKEN} more")


@tier_app.command("note")
def note(
    context: typer.Context,
    tier: Annotated[str, typer.Argument(help="Where the pixels lie: hot or archive")],
    filter_text: Annotated[str, typer.Option("--filter", help="Of which frames: NAME=A|B,NAME>=NUMBER,...")] = "",
) -> None:
    """Note in which tier of the storage frames lie, once a policy of the storage has moved them; `tier=` filters it."""
    from al_platform.platform.tiers import note_tier

    with platform_of(context) as platform:
        typer.echo(f"{note_tier(platform, filter_text, tier)} frames are in tier {tier} now that were not")


@tier_app.command("list")
def list_all(context: typer.Context) -> None:
    """List what is on the local disk."""
    from al_platform.platform.tiers import list_tiers

    table = Table(Column("tier", overflow="fold"), "frames of", "image", "frames", "asked for", "MB")
    with platform_of(context) as platform:
        for tier in list_tiers(platform):
            height, width = tier.spec.image or (0, 0)
            table.add_row(
                tier.spec.tier_id,
                escape(tier.spec.described),
                f"{width}x{height}" if tier.spec.image else "files",
                str(tier.frames),
                str(tier.spec.wanted),
                f"{tier.size_bytes / _MB:.1f}",
            )
    Console().print(table)


@tier_app.command("drop")
def drop(context: typer.Context, tier_id: str) -> None:
    """Delete a tier; the archive keeps its frames."""
    from al_platform.platform.tiers import drop_tier

    with platform_of(context) as platform:
        drop_tier(platform, tier_id)
    typer.echo(f"{tier_id} dropped")


def _size(text: str) -> tuple[int, int] | None:
    """Give (height, width)."""
    if not text:
        return None
    match = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text.strip())
    if match is None:
        raise InvalidInput(f"image {text!r}: write WIDTHxHEIGHT, for example 320x224")
    return int(match[2]), int(match[1])
