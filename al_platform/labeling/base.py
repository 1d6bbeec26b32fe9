"""The labelling protocol: one file a tool, one line in the table of tools."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from al_platform.domain.labels import Annotation, LabelTask


@dataclass(frozen=True)
class TaskResult:
    """What came back for a task: an annotation, or the reason why the frame was rejected."""

    task_id: str
    annotation: Annotation | None = None
    rejected: str = ""


class LabelingTool(Protocol):
    """Sends tasks to people and gives back what they said. Both directions are idempotent on the task id."""

    name: str

    def send(self, tasks: Sequence[LabelTask]) -> None:
        """Ask for labels of these frames. Asking again for a task changes nothing."""

    def collect(self, tasks: Sequence[LabelTask]) -> list[TaskResult]:
        """Give the results that are in, of these tasks only; the others are still out."""
