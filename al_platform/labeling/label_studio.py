"""Label Studio as a labelling tool. The tasks and their order are ours; the server holds what people do."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from al_platform.domain.labels import LabelTask
from al_platform.labeling.base import Brief, DescribeTasks, HintTasks, ImageUrl, TaskResult
from al_platform.labeling.consensus import ReviewPolicy, settle
from al_platform.labeling.label_studio_client import LabelStudioClient
from al_platform.labeling.label_studio_convert import (
    SOURCE,
    ServerTask,
    moment,
    place_of,
)
from al_platform.labeling.label_studio_kinds import answer_said, body_of, config_of, label_that_stands
from al_platform.labeling.label_studio_projects import (
    Hook,
    Project,
    QueueConfig,
    all_tasks,
    answered_tasks,
    ensure_hook,
    ensure_rank_view,
    import_tasks,
    make_project,
    move_task,
    projects_of,
    remove_unanswered,
    show_proposals,
)

TASKS_PER_PROJECT = 99_000
"""Label Studio is made for less than 100,000."""
TASKS_PER_IMPORT = 200
"""Each import makes the server count its whole project anew; a lost one is made again."""
OVERLAP = timedelta(seconds=60)
"""A change may become visible this long after the moment it carries, so that much is read again."""


class LabelStudio:
    """Sends frames and scenarios to a Label Studio server and reads back what people said of them."""

    name = SOURCE

    def __init__(
        self,
        client: LabelStudioClient,
        *,
        describe: DescribeTasks,
        hints: HintTasks,
        image_url: ImageUrl,
        policy: ReviewPolicy | None = None,
        hook: Hook | None = None,
        tasks_per_project: int = TASKS_PER_PROJECT,
        tasks_per_import: int = TASKS_PER_IMPORT,
    ) -> None:
        self._client = client
        self._describe = describe
        self._hints = hints
        self._image_url = image_url
        self._policy = policy or ReviewPolicy()
        self._hook = hook
        self._tasks_per_project = tasks_per_project
        self._tasks_per_import = tasks_per_import
        self._known: set[str] = set()
        """Tasks that this process has seen on the server; they are not looked for again."""

    def send(self, tasks: Sequence[LabelTask]) -> None:
        """Make the tasks that the server lacks, best ranked first.

        What is there is read from the server, not remembered: a crash after the server took a task, or a second
        sender, makes no second task.

        Raises: LabelingUnavailable; what the server has taken stays.
        """
        unseen = [task for task in tasks if task.task_id not in self._known]
        for queue, briefs in self._by_queue(unseen).items():
            self._send_to(queue, briefs)

    def collect(self, tasks: Sequence[LabelTask], *, since: str = "") -> Iterator[TaskResult]:
        """Give what stands for each task that people answered, and why where nothing does, in the order of `tasks`.

        Raises: LabelingUnavailable.
        """
        found: dict[str, TaskResult] = {}
        for queue, briefs in self._by_queue(tasks).items():
            wanted = {brief.task.task_id: brief for brief in briefs}
            answered: dict[str, list[ServerTask]] = {}
            for project in projects_of(self._client, queue):
                for task in answered_tasks(self._client, project, since=_earlier(since)):
                    if task.external_id in wanted:
                        answered.setdefault(task.external_id, []).append(task)
            found.update({task_id: self._result(wanted[task_id], same) for task_id, same in answered.items()})
        yield from (found[task.task_id] for task in tasks if task.task_id in found)

    def withdraw(self, tasks: Sequence[LabelTask]) -> frozenset[str]:
        """Remove from the server what nobody has answered; gives the ids of what is not there now.

        Raises: LabelingUnavailable; what is removed stays so.
        """
        gone: set[str] = set()
        for queue, briefs in self._by_queue(tasks).items():
            there = self._tasks_by_id(projects_of(self._client, queue))
            for brief in briefs:
                copies = [remove_unanswered(self._client, task) for task in there.get(brief.task.task_id, ())]
                gone |= {brief.task.task_id} if all(copies) else set()
        self._known -= gone
        return frozenset(gone)

    def reorder(self, tasks: Sequence[LabelTask]) -> None:
        """Write the ranks of tasks into those that are on the server.

        Raises: LabelingUnavailable.
        """
        for queue, briefs in self._by_queue(tasks).items():
            there = self._tasks_by_id(projects_of(self._client, queue))
            for brief in briefs:
                for task in there.get(brief.task.task_id, ()):
                    move_task(self._client, task, place_of(brief.task.rank))

    def _by_queue(self, tasks: Sequence[LabelTask]) -> dict[QueueConfig, list[Brief]]:
        if not tasks:
            return {}
        queues: dict[QueueConfig, list[Brief]] = {}
        for brief in self._describe(tasks):
            queue = QueueConfig(brief.queue, config_of(brief), self._policy.answers)
            queues.setdefault(queue, []).append(brief)
        return queues

    def _send_to(self, queue: QueueConfig, briefs: Sequence[Brief]) -> None:
        projects = projects_of(self._client, queue)
        there = self._tasks_by_id(projects)
        missing = sorted(
            (brief for brief in briefs if brief.task.task_id not in there), key=lambda brief: brief.task.rank
        )
        for start in range(0, len(missing), self._tasks_per_import):
            self._import(queue, missing[start : start + self._tasks_per_import])
        if missing:
            there = self._tasks_by_id(projects_of(self._client, queue))
        self._remove_surplus(there)
        self._known.update(brief.task.task_id for brief in briefs)

    def _import(self, queue: QueueConfig, briefs: Sequence[Brief]) -> None:
        hints = self._hints([brief.task for brief in briefs])
        bodies = [body_of(brief, hints.get(brief.task.task_id), self._image_url) for brief in briefs]
        while bodies:
            project, room = self._with_room(queue)
            import_tasks(self._client, project, bodies[:room])
            versions = [its["model_version"] for body in bodies[:room] for its in body["predictions"]]
            if versions:
                show_proposals(self._client, project, versions[-1])
            bodies = bodies[room:]

    def _with_room(self, queue: QueueConfig) -> tuple[Project, int]:
        projects = projects_of(self._client, queue)
        for project in projects:
            room = self._tasks_per_project - (project.task_number or 0)
            if room > 0:
                ensure_rank_view(self._client, project)
                ensure_hook(self._client, project, self._hook)
                return project, room
        return make_project(self._client, queue, len(projects) + 1, hook=self._hook), self._tasks_per_project

    def _tasks_by_id(self, projects: Sequence[Project]) -> dict[str, list[ServerTask]]:
        """Our tasks on the server, each with its copies: answered ones first, then the oldest."""
        tasks = [task for project in projects for task in all_tasks(self._client, project) if task.external_id]
        ordered = sorted(tasks, key=lambda task: (task.external_id, not task.annotations, task.id))
        return {task_id: list(same) for task_id, same in groupby(ordered, key=lambda task: task.external_id)}

    def _remove_surplus(self, there: Mapping[str, Sequence[ServerTask]]) -> None:
        """Two senders at once may both have made a task; both come to keep the same one of them."""
        for _, *surplus in there.values():
            for task in surplus:
                remove_unanswered(self._client, task)

    def _result(self, brief: Brief, tasks: Sequence[ServerTask]) -> TaskResult:
        annotations = [annotation for task in tasks for annotation in task.annotations]
        answers = tuple(answer_said(brief, annotation) for annotation in sorted(annotations, key=lambda its: its.id))
        verdict = settle(answers, self._policy)
        stands = verdict.answer
        return TaskResult(
            task_id=brief.task.task_id,
            annotation=label_that_stands(brief, stands) if stands else None,
            rejected=stands.rejected if stands else "",
            waits=verdict.waits,
            answers=answers,
        )


def _earlier(since: str) -> str:
    return moment(datetime.fromisoformat(since) - OVERLAP) if since else ""
