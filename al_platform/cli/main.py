"""`alp`: the whole platform from the command line."""

import os
import sys
from pathlib import Path
from typing import Annotated

import click
import typer

from al_platform.cli import data, experiments, rounds
from al_platform.cli.home import HOME_KEY
from al_platform.errors import PlatformError

app = typer.Typer(
    name="alp",
    help="Decide which driving data is worth a label.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("ingest")(data.ingest)
app.command("frames")(data.frames)
app.command("lineage")(data.lineage)
app.command("ab")(experiments.ab)
app.command("report")(experiments.report)
app.command("experiments")(experiments.list_all)
app.add_typer(rounds.round_app, name="round")
app.add_typer(rounds.loop_app, name="loop")


@app.callback()
def _home(
    context: typer.Context,
    home: Annotated[
        Path | None, typer.Option(help="Folder that keeps everything; default $ALP_HOME, else .alp")
    ] = None,
) -> None:
    context.obj = {HOME_KEY: home}


def main() -> None:
    """Run a command. Expected errors print one line and exit with 2; Ctrl-C exits with 130."""
    try:
        code = app(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except PlatformError as error:
        sys.stderr.write(f"alp: {' '.join(str(error).split())}\n")
        code = 2
    except (KeyboardInterrupt, click.Abort):
        sys.stderr.write("alp: interrupted; nothing finished is lost, run the same command to go on\n")
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code if isinstance(code, int) else 0)
