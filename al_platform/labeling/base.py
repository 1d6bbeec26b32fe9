"""The labelling protocol: one file a tool, one line in the table of tools."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from al_platform.domain.data import BlobRef, Frame
from al_platform.domain.labels import Answer, Box, Label, LabelTask


@dataclass(frozen=True)
class TaskResult:
    """What came back for a task: a label, why the item was rejected (of a scenario both), or why the task waits."""

    task_id: str
    annotation: Label | None = None
    rejected: str = ""
    waits: str = ""
    """Why what people said is no label yet: an answer that cannot be used, too few of them, or a disagreement."""
    answers: tuple[Answer, ...] = ()
    """Everything that people said about the task so far, by the tool's name of the answer."""


class LabelingTool(Protocol):
    """Sends tasks to people and gives back what they said. Both directions are idempotent on the task id."""

    name: str

    def send(self, tasks: Sequence[LabelTask]) -> None:
        """Ask for labels of these frames. Asking again for a task changes nothing.

        Raises: LabelingUnavailable where the tool cannot be reached; what it has taken stays.
        """

    def collect(self, tasks: Sequence[LabelTask], *, since: str = "") -> Iterator[TaskResult]:
        """Give the results that are in, of these tasks only, in their order; the others are still out.

        A label is paid for when its result is taken from the iterator. With `since`, a moment on the tool's clock,
        results that did not change after it may be left out.

        Raises: LabelingUnavailable where the tool cannot be reached or answers what it should not.
        """

    def withdraw(self, tasks: Sequence[LabelTask]) -> frozenset[str]:
        """Take these tasks back from people; gives the ids of those that nobody had answered. Again changes nothing.

        Raises: LabelingUnavailable; what is taken back stays so.
        """

    def reorder(self, tasks: Sequence[LabelTask]) -> None:
        """Show these tasks at the places that their ranks now say.

        Raises: LabelingUnavailable.
        """


@dataclass(frozen=True)
class TaskBrief:
    """What a labelling tool has to know about a task besides the task itself."""

    task: LabelTask
    queue: str
    classes: tuple[str, ...]
    """All classes to look for: of these, what is not marked is absent."""
    frame: Frame


@dataclass(frozen=True)
class SceneBrief:
    """What a labelling tool has to know about the triage of a scenario besides the task itself."""

    task: LabelTask
    queue: str
    tags: tuple[str, ...]
    """Tags that can be chosen, the same for all tasks of a round."""
    event: str
    """The event that was detected; empty for none."""
    name: str
    """Of the scenario, `dataset/session/scene`."""


Brief = TaskBrief | SceneBrief


@dataclass(frozen=True)
class ScoredBox:
    """A box that the ensemble proposes, with its probability in [0, 1]."""

    box: Box
    score: float


@dataclass(frozen=True)
class Hint:
    """What the ensemble says of a frame: proposals to start from, and a picture of where its members disagree."""

    model_version: str
    boxes: tuple[ScoredBox, ...]
    heatmap: BlobRef


@dataclass(frozen=True)
class Clip:
    """A scenario as a moving picture."""

    picture: BlobRef


Shown = Hint | Clip

DescribeTasks = Callable[[Sequence[LabelTask]], Sequence[Brief]]
"""Gives a brief for each task, in their order."""

HintTasks = Callable[[Sequence[LabelTask]], Mapping[str, Shown]]
"""Gives hints or clips by task id; a frame without one is left out. Slow: asked only for tasks that are new."""

ImageUrl = Callable[[str, BlobRef], str]
"""Gives the address under which an annotator's browser finds a picture of a task, by the task's id."""
