"""`alp catalog check|backup|restore|add`."""

from pathlib import Path
from typing import Annotated

import typer

from al_platform.cli.home import HOME_KEY, platform_of
from al_platform.platform.data import add_frames_in_bulk
from al_platform.platform.upkeep import back_up_catalog, check_catalog, restore_catalog
from al_platform.settings import read_settings

catalog_app = typer.Typer(help="Verify, copy, restore and fill the catalog.", no_args_is_help=True)


@catalog_app.command("check")
def check(context: typer.Context) -> None:
    """Verify every invariant, manifest and blob: a line for each fault, exit code 1 where there is one."""
    faults = 0
    with platform_of(context) as platform:
        for fault in check_catalog(platform):
            faults += 1
            typer.echo(f"fault: {' '.join(fault.split())}")
    if faults:
        raise typer.Exit(1)
    typer.echo("no fault")


@catalog_app.command("backup")
def backup(context: typer.Context, path: Annotated[Path, typer.Argument(help="A new file")]) -> None:
    """Copy the catalog to a file. `alp catalog restore PATH` puts it back. Copy the blobs' folder beside it."""
    with platform_of(context) as platform:
        back_up_catalog(platform, path)
    typer.echo(f"written: {path}; put it back with `alp catalog restore {path}`")


@catalog_app.command("restore")
def restore(context: typer.Context, path: Annotated[Path, typer.Argument(help="What `backup` wrote")]) -> None:
    """Put a backup in the place of the catalog; the present one is kept beside it under another name."""
    aside = restore_catalog(read_settings(context.obj[HOME_KEY]), path)
    typer.echo(f"restored from {path}" + (f"; the catalog before it is {aside}" if aside else ""))


@catalog_app.command("add")
def add(context: typer.Context, path: Annotated[Path, typer.Argument(help="Parquet, a row a frame")]) -> None:
    """Add frames whose pixels are stored already: frame_id, dataset, session_id, frame_number, width, height, ..."""
    with platform_of(context) as platform:
        typer.echo(f"{add_frames_in_bulk(platform, path)} new frames")
