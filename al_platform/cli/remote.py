"""The same commands against a server: `alp --server URL --key KEY ...`."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from al_platform.cli.progress import progress_shown
from al_platform.cli.words import (
    pick_row,
    picks_table,
    quality,
    rounds_table,
    show_estimate,
    show_guard,
    show_triage,
    steps_in_words,
)
from al_platform.domain.progress import Progress
from al_platform.errors import MissingExtra
from al_platform.settings import Remote

if TYPE_CHECKING:
    from al_platform.client import Client, RoundRecord
    from al_platform.client.records import ImportRecord

REMOTE_KEY = "remote"


def remote_of(context: typer.Context) -> Remote | None:
    """Give the server that `--server` names, None where the home is meant."""
    remote: Remote | None = context.obj[REMOTE_KEY]
    return remote


@contextmanager
def client_of(remote: Remote) -> Iterator["Client"]:
    """Give a client of the server.

    Raises: MissingExtra where the client's library is not installed.
    """
    try:
        from al_platform.client import Client
    except ModuleNotFoundError as missing:
        raise MissingExtra(f"{missing.name}: not installed; pip install 'al-platform[service]'") from missing
    with Client(remote.url, key=remote.key) as client:
        yield client


def run_round(remote: Remote, wanted: Mapping[str, Any]) -> None:
    """Submit a round, follow it until it rests, and show it.

    Raises: ServiceProblem for a round that failed on the way, with its reason.
    """
    with client_of(remote) as client, progress_shown() as report:
        from al_platform.client import ServiceProblem

        submitted = client.submit_round(wanted, idempotency_key=uuid.uuid4().hex)
        last = submitted
        for last in client.watch_round(submitted.round_id):
            if last.progress is not None:
                report(Progress(last.progress.stage, last.progress.done, last.progress.total))
        if last.run_state == "failed":
            raise ServiceProblem(f"{last.round_id}: {last.message}", code="round-failed", status=0)
        _show(client, last)


def estimate_round(remote: Remote, wanted: Mapping[str, Any]) -> None:
    """Show what a round would take."""
    with client_of(remote) as client:
        show_estimate(client.estimate_round(wanted))


def verify_round(remote: Remote, round_id: str) -> list[str]:
    """Give how a round's picks differ from those that its stored inputs lead to; none where they are equal."""
    with client_of(remote) as client:
        return list(client.verify_round(round_id).differences)


def show_round(remote: Remote, round_id: str) -> None:
    """Show a round: its steps, how good its ensemble is, and what it picked."""
    table = picks_table()
    with client_of(remote) as client:
        round_ = client.round(round_id)
        _show(client, round_)
        show_triage(client.triage(round_.round_id))
        for pick in client.selections(round_id):
            table.add_row(*pick_row(pick.rank, pick.item_id, pick.for_class, pick.score))
    Console().print(table)


def list_rounds(remote: Remote) -> None:
    """List all rounds, oldest first."""
    table = rounds_table()
    with client_of(remote) as client:
        for round_ in reversed(list(client.rounds())):
            table.add_row(
                round_.round_id,
                round_.state.value,
                round_.strategy,
                str(round_.budget_frames),
                round_.trained_on,
                round_.dataset_version_id or "",
            )
    Console().print(table)


def import_frames(remote: Remote, adapter: str, path: str, options: Mapping[str, str]) -> "ImportRecord":
    """Have the server bring a dataset in from its inbox; gives what it found."""
    with client_of(remote) as client:
        return client.import_frames(adapter, path, options)


def show_frames(remote: Remote, filter_text: str, *, unlabelled: bool) -> None:
    """Count frames and sessions, all or those that a filter matches."""
    with client_of(remote) as client:
        if filter_text or unlabelled:
            count = client.count_frames(filter_text, unlabelled=unlabelled)
            typer.echo(f"{count.frames} frames of {count.sessions} sessions match")
            return
        table = Table("dataset", "frames", "sessions")
        for row in client.datasets():
            table.add_row(escape(row.dataset), str(row.frames), str(row.sessions))
    Console().print(table)


def _show(client: "Client", round_: "RoundRecord") -> None:
    runs = client.steps(round_.round_id)
    steps = steps_in_words((run.step, run.seconds, run.cached) for run in runs)
    typer.echo(f"{round_.round_id} {round_.state.value}  {steps}")
    if round_.ensemble_id and round_.test_version_id:
        measured = client.metrics(round_.ensemble_id).tests.get(round_.test_version_id, {})
        found = measured.get("average_precision", {})
        typer.echo(f"  average precision of {round_.ensemble_id}: {quality(sorted(found), found)}")
    for run in runs:
        show_guard(run.outputs)
    if round_.message:
        typer.echo(f"  {round_.message}")
