"""`alp dataset list|show|diff`."""

from typing import Annotated

import pyarrow as pa
import typer
from rich.console import Console
from rich.table import Column, Table

from al_platform.cli.home import platform_of
from al_platform.platform.data import dataset_diff, dataset_version, dataset_versions

dataset_app = typer.Typer(help="Immutable dataset versions.", no_args_is_help=True)

_SHOWN = 20

Rows = Annotated[int, typer.Option(help="Rows to print at most")]


@dataset_app.command("list")
def list_all(context: typer.Context) -> None:
    """List all dataset versions, oldest first."""
    columns = (Column("version", overflow="fold"), "items", "added", "purpose", Column("parent", overflow="fold"))
    table = Table(*columns)
    with platform_of(context) as platform:
        for version in dataset_versions(platform):
            added = str(version.added)
            table.add_row(version.version_id, str(version.items), added, version.purpose, version.parent_id or "")
    Console().print(table)


@dataset_app.command("show")
def show(context: typer.Context, version_id: str, rows: Rows = _SHOWN) -> None:
    """Show a dataset version and its items."""
    with platform_of(context) as platform:
        version, items = dataset_version(platform, version_id)
    grown = f", {version.added} more than {version.parent_id}" if version.parent_id else ""
    typer.echo(f"{version.version_id} {version.purpose}: {version.items} labelled frames{grown}")
    _print(items, rows=rows)


@dataset_app.command("diff")
def diff(context: typer.Context, older: str, newer: str, rows: Rows = _SHOWN) -> None:
    """Show what differs between two dataset versions."""
    with platform_of(context) as platform:
        changes = dataset_diff(platform, older, newer)
    kinds = changes["change"].value_counts().to_pylist()
    counts = {row["values"]: row["counts"] for row in kinds}
    typer.echo(", ".join(f"{counts.get(kind, 0)} {kind}" for kind in ("added", "removed", "relabelled")))
    _print(changes, rows=rows)


def _print(items: pa.Table, *, rows: int) -> None:
    table = Table(*(Column(name, overflow="fold") for name in items.column_names))
    for row in items.slice(0, rows).to_pylist():
        table.add_row(*(value or "" for value in row.values()))
    Console().print(table)
    if items.num_rows > rows:
        typer.echo(f"... and {items.num_rows - rows} more (--rows shows them)")
