"""`alp policy`: driving policies."""

import typer

policy_app = typer.Typer(help="Driving policies: what they disagree on.", no_args_is_help=True)
