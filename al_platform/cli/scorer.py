"""`alp scorer`: one more process, on this machine or another, that scores a pool."""

import os
import sys
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer

from al_platform.cli import parse
from al_platform.cli.home import HOME_KEY
from al_platform.cli.progress import progress_shown
from al_platform.settings import read_settings


def scorer(
    context: typer.Context,
    score_id: Annotated[str, typer.Argument(help="What is to be scored, scr_...; the round that asks for it names it")],
    storage: Annotated[str, typer.Option(help="Storage of the round, any fsspec URL; default: that of the home")] = "",
    cache: Annotated[
        Path | None, typer.Option(help="Folder for what can be computed again; default: that of the home")
    ] = None,
    scenarios: Annotated[
        Path | None, typer.Option(help="Folder of prepared scenarios, where they are scored; default: that of the home")
    ] = None,
    share: Annotated[str, typer.Option(help="I/N: the I-th of N scorers, counted from 1")] = "1/1",
    until_input_closes: Annotated[bool, typer.Option(hidden=True)] = False,
) -> None:
    """Score the unfinished shards of a pool; several scorers may run at once, for none opens the catalog."""
    from al_platform.domain.progress import silent
    from al_platform.platform.scoring import run_scorer_process

    if until_input_closes:
        Thread(target=_leave_when_input_closes, daemon=True).start()
    settings = read_settings(context.obj[HOME_KEY])
    with progress_shown() as report:
        shards = run_scorer_process(
            score_id,
            storage_url=storage or settings.storage_url,
            cache_folder=cache or settings.cache_folder,
            scenarios=scenarios or settings.scenarios_folder,
            share=parse.share(share),
            report=silent if until_input_closes else report,
        )
    typer.echo(f"{score_id}: {shards} shards scored")


def _leave_when_input_closes() -> None:
    """Whatever is being written then is not there yet, and others write it."""
    sys.stdin.buffer.read()
    os._exit(0)
