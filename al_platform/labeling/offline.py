"""The offline annotator: releases known labels, of exactly the items that were asked for."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from al_platform.domain.driving import detected_event
from al_platform.domain.labels import Annotation, Label, LabelTask
from al_platform.domain.triage import Triage
from al_platform.errors import InvalidInput
from al_platform.labeling.base import TaskResult
from al_platform.storage.blobs import BlobStore
from al_platform.storage.sealed import SealedAnswers


class OfflineAnnotator:
    """Answers at once from the sealed answers. A mask leaves the seal only with the label that is bought."""

    name = "offline"

    def __init__(self, sealed: SealedAnswers, blobs: BlobStore) -> None:
        self._sealed = sealed
        self._blobs = blobs
        self._sent: set[str] = set()

    def send(self, tasks: Sequence[LabelTask]) -> None:
        """Ask for these items."""
        self._sent.update(task.task_id for task in tasks)

    def collect(self, tasks: Sequence[LabelTask], *, since: str = "") -> Iterator[TaskResult]:
        """Give the known label of each task, or its rejection where nobody ever labelled the item.

        A known triage says of the event that was detected in a scenario that it happened: who made the scene knows
        where everybody is, so nothing is detected that was not there.

        Answers never change, so `since` leaves nothing out.

        Raises: InvalidInput for a task that was not sent.
        """
        for task in tasks:
            if task.task_id not in self._sent:
                raise InvalidInput(f"task {task.task_id}: was not sent to the offline annotator")
        answers = self._sealed.open_labels(task.item_id for task in tasks)
        return (self._result(task, answers.get(task.item_id)) for task in tasks)

    def withdraw(self, tasks: Sequence[LabelTask]) -> frozenset[str]:
        """Take tasks back: all of them, since nothing is answered before it is collected."""
        return frozenset(task.task_id for task in tasks)

    def reorder(self, tasks: Sequence[LabelTask]) -> None:
        """Do nothing: everything is answered at once."""

    def buy(self, frame_ids: Sequence[str]) -> list[Annotation]:
        """Release labels outside of any round, for a start or test set; frames without one are left out."""
        answers = self._sealed.open(frame_ids)
        return [self._released(answers[frame_id]) for frame_id in frame_ids if frame_id in answers]

    def classes_of(self, frame_ids: Sequence[str]) -> set[str]:
        """Give the classes that the labels of these frames speak of, there or not; nothing is released."""
        return {name for answer in self._sealed.open(frame_ids).values() for name in answer.classes}

    def _result(self, task: LabelTask, answer: Label | None) -> TaskResult:
        if answer is None:
            return TaskResult(task.task_id, rejected="no label is known for it")
        if isinstance(answer, Triage):
            event = detected_event(task.for_class, task.score)
            events = {event: True} if event else {}
            return TaskResult(task.task_id, annotation=replace(answer, events=events), rejected=answer.rejected)
        return TaskResult(task.task_id, annotation=self._released(answer))

    def _released(self, answer: Annotation) -> Annotation:
        if answer.mask is not None:
            self._blobs.put(self._sealed.blobs.get(answer.mask.hash), media_type=answer.mask.media_type)
        return answer
