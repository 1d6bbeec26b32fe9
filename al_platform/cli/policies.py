"""`alp policy`."""

import typer

policy_app = typer.Typer(
    help="Driving policies: trained, judged, licensed, and what they disagree on.", no_args_is_help=True
)
