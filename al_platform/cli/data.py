"""`alp ingest`, `alp frames`, `alp lineage`."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from rich.tree import Tree

from al_platform.cli import parse, remote
from al_platform.cli.home import platform_of
from al_platform.domain.filters import FILTER_HELP
from al_platform.domain.lineage import LineageNode
from al_platform.platform.data import adapter_options, count_frames, datasets_summary, ingest_dataset, scenario_uses
from al_platform.platform.data import lineage as lineage_nodes

if TYPE_CHECKING:
    from al_platform.client.records import ImportRecord
    from al_platform.domain.ingest import IngestReport

_SHOWN_PARENTS = 4
_SHOWN_BROKEN = 20
_IDS = (
    *("frm_", "scn_", "ann_", "tsk_", "rnd_", "dsv_", "ens_", "enc_", "pool_", "scr_"),
    *("pol_", "sui_", "evl_", "lic_"),
)
"""What the ids begin with that have a lineage."""


_OPTIONS = "KEY=VALUE for the adapter: " + "; ".join(
    f"{name} takes {', '.join(options)}" for name, options in adapter_options().items()
)


def ingest(
    context: typer.Context,
    adapter: Annotated[str, typer.Argument(help="masks, coco, synthetic or camera")],
    path: Annotated[str | None, typer.Argument(help="Where the source lies; not for synthetic and camera")] = None,
    option: Annotated[list[str] | None, typer.Option("--option", "-o", help=_OPTIONS)] = None,
) -> None:
    """Bring a dataset in. Repeating it changes nothing; broken files are named and passed over.

    A server takes in masks and coco from the folder HOME/inbox of its own machine; PATH is below it.
    """
    server, options = remote.remote_of(context), parse.options(option or [])
    if server is not None:
        _show_ingested(remote.import_frames(server, adapter, path or "", options))
        return
    with platform_of(context) as platform:
        report = ingest_dataset(platform, adapter, path, options)
    _show_ingested(report)


def _show_ingested(report: "IngestReport | ImportRecord") -> None:
    typer.echo(
        f"{report.read} read, {report.added} new frames, {report.labels} labels sealed, "
        f"{len(report.duplicates)} duplicates, {len(report.broken)} broken"
    )
    for broken in report.broken[:_SHOWN_BROKEN]:
        typer.echo(f"broken: {broken.origin}: {broken.reason}")
    for origin in report.duplicates[:_SHOWN_BROKEN]:
        typer.echo(f"duplicate: {origin}: the same picture came before; the first one counts")
    left = max(0, len(report.broken) - _SHOWN_BROKEN) + max(0, len(report.duplicates) - _SHOWN_BROKEN)
    if left:
        typer.echo(f"... and {left} more")


def frames(
    context: typer.Context,
    filter_text: Annotated[str, typer.Option("--filter", help=FILTER_HELP)] = "",
    unlabelled: Annotated[bool, typer.Option("--unlabelled", help="Only frames that nobody ever labelled")] = False,
) -> None:
    """Count frames and sessions, all or those that a filter matches."""
    server = remote.remote_of(context)
    if server is not None:
        remote.show_frames(server, filter_text, unlabelled=unlabelled)
        return
    with platform_of(context) as platform:
        if filter_text or unlabelled:
            matched, sessions = count_frames(platform, filter_text, unlabelled=unlabelled)
            typer.echo(f"{matched} frames of {sessions} sessions match")
            return
        table = Table("dataset", "frames", "sessions")
        for row in datasets_summary(platform):
            table.add_row(escape(str(row["dataset"])), str(row["frames"]), str(row["sessions"]))
    Console().print(table)


def uncertainty(context: typer.Context, frame_id: str) -> None:
    """Show what every ensemble that scored a frame thought of it, in nats; higher = more to learn."""
    from al_platform.platform.uncertainty import frame_uncertainty

    table = Table(Column("ensemble", overflow="fold"), "scored (UTC)", "class", "mutual information", "entropy")
    with platform_of(context) as platform:
        for seen in frame_uncertainty(platform, frame_id):
            for name, measures in seen.measures.items():
                values = (f"{measures[measure]:.5g}" for measure in ("mi_sum", "entropy_sum"))
                table.add_row(seen.ensemble_id, seen.scored_at, escape(name), *values)
    Console().print(table)


def lineage(
    context: typer.Context,
    node_id: Annotated[
        str,
        typer.Argument(
            help="Any id: frm_, scn_, ann_, tsk_, rnd_, dsv_, ens_, enc_, pool_, scr_, pol_, sui_, evl_, lic_"
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Everything, for machines")] = False,
) -> None:
    """Show what an id came from, back to the pixels or the recording, and of a scenario what used it."""
    with platform_of(context) as platform:
        nodes = lineage_nodes(platform, node_id)
        uses = scenario_uses(platform, node_id)
    if as_json:
        used = {"used": [asdict(use) for use in uses]} if uses else {}
        shown = [{**asdict(node), **(used if node.node_id == node_id else {})} for node in nodes.values()]
        typer.echo(json.dumps(shown, indent=1))
        return
    tree = Tree(_line(nodes[node_id]))
    _grow(tree, nodes, node_id, shown={node_id})
    for use in uses:
        tree.add(f"[bold]{use.how}[/bold] {use.node_id}")
    Console().print(tree)


def _line(node: LineageNode) -> str:
    return f"{node.kind} {node.node_id}  [dim]{escape(node.summary)}[/dim]"


def _grow(tree: Tree, nodes: dict[str, LineageNode], node_id: str, *, shown: set[str]) -> None:
    """Add the parents of a node; of many of one relation the first few, and of those shown before only the name."""
    by_relation: dict[str, list[str]] = {}
    for parent in nodes[node_id].parents:
        by_relation.setdefault(parent.relation, []).append(parent.node_id)
    for relation, parents in by_relation.items():
        for parent_id in parents[:_SHOWN_PARENTS]:
            again = parent_id in shown
            line = f"{nodes[parent_id].kind} {parent_id}  [dim]see above[/dim]" if again else _line(nodes[parent_id])
            branch = tree.add(f"[bold]{relation}[/bold] {line}")
            if not again:
                shown.add(parent_id)
                _grow(branch, nodes, parent_id, shown=shown)
        if len(parents) > _SHOWN_PARENTS:
            tree.add(f"[bold]{relation}[/bold] ... and {len(parents) - _SHOWN_PARENTS} more (--json shows all)")
