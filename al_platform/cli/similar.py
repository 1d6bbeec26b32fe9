"""`alp similar`: more like this frame."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from al_platform.cli.home import platform_of


def similar(
    context: typer.Context,
    frame_ids: Annotated[list[str], typer.Argument(help="Frames to find more of")],
    unlike: Annotated[list[str] | None, typer.Option("--not", help="Frames to keep away from; may be repeated")] = None,
    filter_text: Annotated[str, typer.Option("--filter", help="Only among the frames that match")] = "",
    count: Annotated[int, typer.Option("--count", "-n", help="Frames to show")] = 20,
    round_id: Annotated[str, typer.Option("--round", help="Round whose encoder embeds; default: the newest")] = "",
) -> None:
    """Show the frames most like some examples: the mean cosine to them, minus that to the frames after --not."""
    from al_platform.platform.similar import find_similar

    with platform_of(context) as platform:
        found = find_similar(
            platform, frame_ids, unlike=unlike or (), filter_text=filter_text, count=count, round_id=round_id
        )
    table = Table(Column("frame", overflow="fold"), "similarity")
    for frame in found:
        table.add_row(frame.frame_id, f"{frame.score:.4f}")
    Console().print(table)
