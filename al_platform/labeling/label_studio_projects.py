"""Projects of a queue on the server: found by a key of ours, made where missing, read by export."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from al_platform.domain.ids import make_id
from al_platform.errors import LabelingUnavailable
from al_platform.labeling.label_studio_client import LabelStudioClient
from al_platform.labeling.label_studio_config import config_problems
from al_platform.labeling.label_studio_convert import ServerTask

RANK_VIEW = "By rank"
SECRET_HEADER = "X-Hook-Secret"
_LONGEST_QUEUE = 36
"""Characters of a queue's name in the title, which may have 50."""
EXPORT_S, POLL_S = 300.0, 0.5
"""How long a server with a job queue may take for an export, and how often it is asked."""
_PAGE = 100
_KEY = re.compile(r"\bkey (lsq_[0-9a-f]+)\b")


@dataclass(frozen=True)
class QueueConfig:
    """A queue as Label Studio sees it: projects with this config, as many as its tasks need."""

    queue: str
    config: str
    answers: int = 1
    """How many people label each task."""

    @property
    def key(self) -> str:
        """Name of the queue's projects; another config is another project, since configs of old tasks never change."""
        return make_id("lsq", self.queue, self.config)


@dataclass(frozen=True)
class Hook:
    """Where a project says that somebody answered, and the secret that it sends along."""

    url: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Project:
    """A project on the server."""

    id: int
    title: str
    label_config: str
    task_number: int | None = 0
    description: str | None = ""
    model_version: str | None = ""


@dataclass(frozen=True)
class _ProjectPage:
    next: str | None
    results: list[Project]


@dataclass(frozen=True)
class _View:
    id: int
    data: dict[str, Any]


@dataclass(frozen=True)
class _Hook:
    url: str
    headers: dict[str, Any]


@dataclass(frozen=True)
class _Snapshot:
    id: int
    status: str


def projects_of(client: LabelStudioClient, queue: QueueConfig) -> list[Project]:
    """Give the projects of a queue, oldest first.

    Raises: LabelingUnavailable where someone took classes or controls out of a project's config.
    """
    found = [project for project in _all_projects(client) if _key_of(project) == queue.key]
    for project in found:
        problems = config_problems(project.label_config, queue.config)
        if problems:
            raise LabelingUnavailable(
                f"Label Studio project {project.id} ({project.title}): its config {'; '.join(problems)}; put it back "
                "under Settings, Labeling Interface"
            )
    return sorted(found, key=lambda project: project.id)


def make_project(client: LabelStudioClient, queue: QueueConfig, part: int, *, hook: Hook | None = None) -> Project:
    """Make the next project of a queue, with the view that shows its tasks in our order, and the hook where given."""
    body = {
        "title": f"{queue.queue[:_LONGEST_QUEUE]} · part {part}",
        "description": f"Queue {queue.queue} of al-platform, found by key {queue.key}: leave this line as it is",
        "label_config": queue.config,
        "maximum_annotations": queue.answers,
        "show_skip_button": False,
        "enable_empty_annotation": True,
        "sampling": "Sequential sampling",
    }
    project = client.post("/api/projects", body, Project)
    ensure_rank_view(client, project)
    ensure_hook(client, project, hook)
    return project


def ensure_hook(client: LabelStudioClient, project: Project, hook: Hook | None) -> None:
    """Have a project say when somebody answers, where it does not yet. Only a hint: it is sent once, and may be lost.

    Raises: LabelingUnavailable, also where the server refuses the address.
    """
    if hook is None:
        return
    known = client.get("/api/webhooks/", list[_Hook], project=project.id)
    if any(its.url == hook.url and its.headers.get(SECRET_HEADER) == hook.secret for its in known):
        return
    body = {
        "project": project.id,
        "url": hook.url,
        "send_payload": False,
        "send_for_all_actions": False,
        "actions": ["ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED"],
        "headers": {SECRET_HEADER: hook.secret},
    }
    try:
        client.post("/api/webhooks/", body, _Hook)
    except LabelingUnavailable as reason:
        raise LabelingUnavailable(
            f"{reason}. The hook to {hook.url} was not made: let the server reach it (SSRF_PROTECTION_ENABLED=false "
            "for private addresses), or unset ALP_HOOK_SECRET to do without"
        ) from reason


def ensure_rank_view(client: LabelStudioClient, project: Project) -> None:
    """Make the view sorted by rank where the project has none."""
    views = client.get("/api/dm/views", list[_View], project=project.id)
    if not any(view.data.get("title") == RANK_VIEW for view in views):
        data = {"title": RANK_VIEW, "ordering": ["tasks:data.order"]}
        client.post("/api/dm/views", {"project": project.id, "data": data}, _View)


def all_tasks(client: LabelStudioClient, project: Project) -> list[ServerTask]:
    """Export every task of a project."""
    return _exported(client, project, download_all_tasks="true")


def answered_tasks(client: LabelStudioClient, project: Project, *, since: str) -> list[ServerTask]:
    """Export the tasks that have answers; with `since` only those that changed after it, picked out by the server."""
    if not since:
        return _exported(client, project, download_all_tasks="false")
    changed = {"filter": "filter:tasks:updated_at", "operator": "greater", "type": "Datetime", "value": since}
    data = {"title": "changed", "filters": {"conjunction": "and", "items": [changed]}}
    view = client.post("/api/dm/views", {"project": project.id, "data": data}, _View)
    try:
        return _snapshot(client, project, view)
    finally:
        client.delete(f"/api/dm/views/{view.id}")


def import_tasks(client: LabelStudioClient, project: Project, tasks: Sequence[dict[str, Any]]) -> None:
    """Make tasks in one request."""
    client.post(f"/api/projects/{project.id}/import", list(tasks), dict[str, Any])


def show_proposals(client: LabelStudioClient, project: Project, model_version: str) -> None:
    """Let annotators start from the proposals of this ensemble; a project shows those of one at a time.

    The server refuses an ensemble without proposals: another sender removed ours as surplus, and shows its own.
    """
    if project.model_version != model_version:
        client.patch(f"/api/projects/{project.id}", {"model_version": model_version})


def move_task(client: LabelStudioClient, task: ServerTask, place: Mapping[str, Any]) -> None:
    """Change where a task stands; one that is gone is passed over."""
    if client.find(f"/api/tasks/{task.id}", dict[str, Any]) is not None:
        client.patch(f"/api/tasks/{task.id}", {"data": {**task.data, **place}})


def remove_unanswered(client: LabelStudioClient, task: ServerTask) -> bool:
    """Remove a task that nobody has answered by now; False where somebody has. Gone already is as good."""
    answers = f"/api/tasks/{task.id}/annotations"
    found = client.find(answers, list[dict[str, Any]])
    if found != []:
        return found is None
    try:
        client.delete(f"/api/tasks/{task.id}")
    except LabelingUnavailable:  # so the server answers the slower of two senders that remove one task
        if client.find(answers, list[dict[str, Any]]) is not None:
            raise
    return True


def _snapshot(client: LabelStudioClient, project: Project, view: _View) -> list[ServerTask]:
    wanted = {"task_filter_options": {"view": view.id, "only_with_annotations": True}}
    exports = f"/api/projects/{project.id}/exports"
    snapshot = client.post(exports, wanted, _Snapshot)
    try:
        snapshot = _finished(client, exports, snapshot)
        if snapshot.status != "completed":
            raise LabelingUnavailable(
                f"Label Studio at {client.url}: export {snapshot.id} of project {project.id} is {snapshot.status}; "
                "the tasks wait, run it again"
            )
        return client.get(f"{exports}/{snapshot.id}/download", list[ServerTask], exportType="JSON")
    finally:
        client.delete(f"{exports}/{snapshot.id}")


def _finished(client: LabelStudioClient, exports: str, snapshot: _Snapshot) -> _Snapshot:
    """A server with a job queue answers before the export is made; others afterwards."""
    until = time.monotonic() + EXPORT_S
    while snapshot.status in ("created", "in_progress") and time.monotonic() < until:
        time.sleep(POLL_S)
        snapshot = client.get(f"{exports}/{snapshot.id}", _Snapshot)
    return snapshot


def _exported(client: LabelStudioClient, project: Project, *, download_all_tasks: str) -> list[ServerTask]:
    return client.get(
        f"/api/projects/{project.id}/export",
        list[ServerTask],
        exportType="JSON",
        download_all_tasks=download_all_tasks,
        download_resources="false",
    )


def _all_projects(client: LabelStudioClient) -> Iterator[Project]:
    page = 0
    while True:
        page += 1
        answer = client.get("/api/projects", _ProjectPage, page=page, page_size=_PAGE)
        yield from answer.results
        if not answer.next:
            return


def _key_of(project: Project) -> str:
    found = _KEY.search(project.description or "")
    return found[1] if found else ""
