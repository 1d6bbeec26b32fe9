"""`alp similar`: more like this frame."""

from typing import Annotated, TypedDict

import typer
from rich.console import Console
from rich.table import Column, Table

from al_platform.cli.home import platform_of
from al_platform.cli.remote import client_of, remote_of


class Wanted(TypedDict):
    """What narrows the search."""

    unlike: list[str]
    filter_text: str
    count: int
    round_id: str


def similar(
    context: typer.Context,
    frame_ids: Annotated[list[str], typer.Argument(help="Frames to find more of")],
    unlike: Annotated[list[str] | None, typer.Option("--not", help="Frames to keep away from; may be repeated")] = None,
    filter_text: Annotated[str, typer.Option("--filter", help="Only among the frames that match")] = "",
    count: Annotated[int, typer.Option("--count", "-n", help="Frames to show")] = 20,
    round_id: Annotated[str, typer.Option("--round", help="Round whose encoder embeds; default: the newest")] = "",
    send_to: Annotated[str, typer.Option(help="Queue to which the frames found are sent, as a round of theirs")] = "",
    annotator: Annotated[str, typer.Option(help="Who labels what is sent; default: as in that round")] = "",
) -> None:
    """Show the frames most like some examples: the mean cosine to them, minus that to the frames after --not."""
    server = remote_of(context)
    wanted: Wanted = {"unlike": unlike or [], "filter_text": filter_text, "count": count, "round_id": round_id}
    if server is not None:
        with client_of(server) as client:
            seen = client.similar(frame_ids, **wanted)
            _show([(frame.frame_id, frame.score) for frame in seen])
            if send_to:
                picked = [frame.frame_id for frame in seen]
                sent = client.send_frames(send_to, picked, round_id=round_id, annotator=annotator)
                typer.echo(f"{sent.round_id} asks for {len(picked)} labels in queue {send_to}")
        return
    from al_platform.platform.handpicked import handpicked_spec
    from al_platform.platform.rounds import run_one_round
    from al_platform.platform.similar import find_similar

    with platform_of(context) as platform:
        found = find_similar(platform, frame_ids, **wanted)
        _show([(frame.frame_id, frame.score) for frame in found])
        if send_to:
            picked = [frame.frame_id for frame in found]
            spec = handpicked_spec(platform, picked, queue=send_to, annotator=annotator, like=round_id)
            round_ = run_one_round(platform, spec)
            typer.echo(f"{round_.round_id} {round_.state.value}  {round_.message}".rstrip())


def _show(found: list[tuple[str, float]]) -> None:
    table = Table(Column("frame", overflow="fold"), "similarity")
    for frame_id, score in found:
        table.add_row(frame_id, f"{score:.4f}")
    Console().print(table)
