"""`alp queue list|withdraw|move`: what waits for people."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Protocol

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from al_platform.cli import remote
from al_platform.cli.home import HERE, idle_service_of, platform_of
from al_platform.domain.labels import LabelTask, TaskState
from al_platform.domain.paging import LARGEST_PAGE, PageRequest

if TYPE_CHECKING:
    from al_platform.platform.home import Platform

queue_app = typer.Typer(help="What waits at the labellers, and in which order.", no_args_is_help=True)

_STATES = [state.value for state in TaskState]


class Queued(Protocol):
    """What is shown of a task, whoever keeps it."""

    @property
    def task_id(self) -> str: ...  # noqa: D102
    @property
    def round_id(self) -> str: ...  # noqa: D102
    @property
    def for_class(self) -> str: ...  # noqa: D102
    @property
    def rank(self) -> int: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102


@queue_app.command("list")
def list_all(
    context: typer.Context,
    queue: Annotated[str, typer.Argument(help="Whose tasks to list; default: the queues, tasks by state")] = "",
) -> None:
    """List the queues, or the tasks of one in the order people see them."""
    server = remote.remote_of(context)
    if server is not None:
        with remote.client_of(server) as client:
            if queue:
                _show_tasks(client.tasks(queue))
            else:
                _show_queues((each.queue, each.tasks) for each in client.queues())
        return
    with platform_of(context) as platform:
        from al_platform.platform.queues import queues

        if queue:
            _show_tasks(_all_tasks(platform, queue))
        else:
            _show_queues((each.queue, each.tasks) for each in queues(platform))


@queue_app.command("withdraw")
def withdraw(
    context: typer.Context,
    queue: str,
    task: Annotated[str, typer.Option(help="Only this one; default: all that nobody has answered")] = "",
) -> None:
    """Take tasks back, here and at the labelling tool; what they showed may be picked again."""
    server = remote.remote_of(context)
    if server is not None:
        with remote.client_of(server) as client:
            gone = [client.withdraw_task(task)] if task else client.withdraw_queue(queue)
        typer.echo(f"{len(gone)} tasks of {queue} withdrawn")
        return
    with idle_service_of(context) as service:
        from al_platform.platform import queues

        if task:
            version = queues.task_version(queues.task(service.platform, task))
            queues.change_task(service, task, actor=HERE, version=version, withdraw=True)
        count = 1 if task else len(queues.withdraw_queue(service, queue, actor=HERE))
    typer.echo(f"{count} tasks of {queue} withdrawn")


@queue_app.command("move")
def move(context: typer.Context, task: str, rank: Annotated[int, typer.Argument(help="0 is seen first")]) -> None:
    """Give a task that still waits another place of its queue, here and at the labelling tool."""
    server = remote.remote_of(context)
    if server is not None:
        with remote.client_of(server) as client:
            client.move_task(task, rank)
    else:
        with idle_service_of(context) as service:
            from al_platform.platform import queues

            version = queues.task_version(queues.task(service.platform, task))
            queues.change_task(service, task, actor=HERE, version=version, rank=rank)
    typer.echo(f"{task} has rank {rank}")


def _all_tasks(platform: "Platform", queue: str) -> Iterator[LabelTask]:
    from al_platform.platform.queues import tasks

    page = PageRequest(LARGEST_PAGE)
    while True:
        found = tasks(platform, page, queue=queue)
        yield from found.items
        if found.after is None:
            return
        page = PageRequest(LARGEST_PAGE, found.after)


def _show_queues(queues: Iterable[tuple[str, Mapping[str, int]]]) -> None:
    table = Table("queue", *_STATES)
    for queue, tasks in queues:
        table.add_row(escape(queue), *(str(tasks.get(state, 0)) for state in _STATES))
    Console().print(table)


def _show_tasks(tasks: Iterable[Queued]) -> None:
    table = Table("rank", Column("task", overflow="fold"), Column("round", overflow="fold"), "for class", "state")
    for task in tasks:
        table.add_row(str(task.rank), task.task_id, task.round_id, escape(task.for_class), str(task.state))
    Console().print(table)
