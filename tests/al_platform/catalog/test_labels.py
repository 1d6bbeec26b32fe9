"""Queues and labels: asked once, kept once, counted for every round that asked."""

from dataclasses import replace

import pytest

from al_platform.catalog.annotations import add_annotations, annotations_by_id, labels_of_round
from al_platform.catalog.bulk import add_frame_rows
from al_platform.catalog.connection import Catalog, Transaction
from al_platform.catalog.frames import count_matching
from al_platform.catalog.listing import frames_page
from al_platform.catalog.queues import QueueSummary, queues, waiting_tasks
from al_platform.catalog.tasks import (
    add_tasks,
    items_taken,
    selections_of,
    set_task_states,
    tasks_of,
)
from al_platform.domain.datasets import DatasetItem
from al_platform.domain.ids import annotation_id
from al_platform.domain.labels import Annotation, Box, LabelTask, TaskState
from al_platform.domain.paging import PageRequest
from al_platform.domain.rounds import Selection
from tests.al_platform.catalog.bulk_rows import columns

NOW = "2026-01-31 12:00:00.000000"


def label(frame_id: str, *, revision: int = 1) -> Annotation:
    boxes = (Box('it\'s "é"', 0, 0, revision, 1),)
    return Annotation(frame_id, ('it\'s "é"',), "offline:d", revision=revision, boxes=boxes, width=4, height=4)


def task(round_id: str, frame_id: str, rank: int = 0) -> LabelTask:
    return LabelTask(f"tsk_{round_id}_{frame_id}", round_id, frame_id, "person", rank, 0.5)


def keep(tx: Transaction, *labels: Annotation, by: LabelTask | None = None) -> list[str]:
    return add_annotations(tx, labels, task_ids=[by.task_id if by else None] * len(labels), now=NOW)


def test_labels_come_back_by_id_and_unknown_ids_are_left_out(catalog: Catalog) -> None:
    with catalog.transaction() as tx:
        ids = keep(tx, label("a"), label("b"))
        assert ids == [annotation_id(label("a")), annotation_id(label("b"))]
        assert annotations_by_id(tx, [ids[1], "ann_unknown", ids[0]]) == {
            ids[0]: label("a"),
            ids[1]: label("b"),
        }
        assert annotations_by_id(tx, []) == {}
        assert keep(tx) == []


def test_keeping_a_label_again_changes_nothing(catalog: Catalog) -> None:
    asked = task("r", "a")
    with catalog.transaction() as tx:
        add_tasks(tx, [asked], queue="q")
    for _ in range(2):
        with catalog.transaction() as tx:
            keep(tx, label("a"), by=asked)
    with catalog.transaction() as tx:
        assert labels_of_round(tx, "r") == [DatasetItem("a", annotation_id(label("a")))]
        for table in ("annotations", "task_labels"):
            assert tx.execute(f"SELECT count(*) FROM {table}").fetchall() == [(1,)]


def test_a_label_that_several_rounds_asked_for_counts_in_each(catalog: Catalog) -> None:
    first, second = task("r1", "a"), task("r2", "a")
    with catalog.transaction() as tx:
        add_tasks(tx, [first], queue="q1")
        add_tasks(tx, [second], queue="q2")
        (kept,) = keep(tx, label("a"), by=first)
        keep(tx, label("a"), by=second)
        assert labels_of_round(tx, "r1") == labels_of_round(tx, "r2") == [DatasetItem("a", kept)]


def test_a_label_bought_before_any_round_counts_in_the_round_that_asks_for_it(catalog: Catalog) -> None:
    asked = task("r", "a")
    with catalog.transaction() as tx:
        add_tasks(tx, [asked], queue="q")
        keep(tx, label("a"))
        assert labels_of_round(tx, "r") == []
        (kept,) = keep(tx, label("a"), by=asked)
        assert labels_of_round(tx, "r") == [DatasetItem("a", kept)]


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1)])
def test_the_newest_revision_is_the_label_of_a_round(catalog: Catalog, order: tuple[int, ...]) -> None:
    asked = task("r", "a")
    with catalog.transaction() as tx:
        add_tasks(tx, [asked], queue="q")
        for revision in order:
            keep(tx, label("a", revision=revision), by=asked)
        assert labels_of_round(tx, "r") == [DatasetItem("a", annotation_id(label("a", revision=3)))]


def test_a_revision_that_another_round_bought_is_not_the_label_of_this_one(catalog: Catalog) -> None:
    mine, other = task("r1", "a"), task("r2", "a")
    with catalog.transaction() as tx:
        add_tasks(tx, [mine, other], queue="q")
        (kept,) = keep(tx, label("a"), by=mine)
        keep(tx, label("a", revision=2), by=other)
        assert labels_of_round(tx, "r1") == [DatasetItem("a", kept)]


def test_labels_of_a_round_are_ordered_by_frame(catalog: Catalog) -> None:
    tasks = [task("r", frame_id, rank) for rank, frame_id in enumerate("cab")]
    with catalog.transaction() as tx:
        add_tasks(tx, tasks, queue="q")
        add_annotations(tx, [label(t.item_id) for t in tasks], task_ids=[t.task_id for t in tasks], now=NOW)
        assert [item.item_id for item in labels_of_round(tx, "r")] == ["a", "b", "c"]


def test_tasks_come_back_in_the_order_people_should_see_them(catalog: Catalog) -> None:
    tasks = [task("r", frame_id, rank) for rank, frame_id in ((2, "a"), (0, "b"), (1, "c"))]
    with catalog.transaction() as tx:
        add_tasks(tx, tasks, queue="q")
        add_tasks(tx, [replace(tasks[0], rank=9)], queue="q")
        add_tasks(tx, [], queue="q")
        assert tasks_of(tx, "r") == [tasks[1], tasks[2], tasks[0]]
        assert selections_of(tx, "r")[0] == Selection("b", "person", 0.5, 0)
        assert tasks_of(tx, "unknown") == []


def test_exactly_the_named_tasks_change_their_state(catalog: Catalog) -> None:
    tasks = [task("r", frame_id, rank) for rank, frame_id in enumerate("abc")]
    with catalog.transaction() as tx:
        add_tasks(tx, tasks, queue="q")
        set_task_states(tx, [], TaskState.REJECTED)
        set_task_states(tx, [tasks[0].task_id, tasks[2].task_id], TaskState.SENT)
        set_task_states(tx, [tasks[2].task_id, "tsk_unknown"], TaskState.LABELED)
        assert [t.state for t in tasks_of(tx, "r")] == [TaskState.SENT, TaskState.QUEUED, TaskState.LABELED]


def test_a_frame_is_taken_in_its_own_queue_unless_it_was_withdrawn(catalog: Catalog) -> None:
    tasks = [task("r", frame_id, rank) for rank, frame_id in enumerate("abcd")]
    with catalog.transaction() as tx:
        add_tasks(tx, tasks, queue="it's; mine")
        for asked, state in zip(
            tasks,
            (TaskState.SENT, TaskState.REJECTED, TaskState.WITHDRAWN, TaskState.LABELED),
            strict=True,
        ):
            set_task_states(tx, [asked.task_id], state)
        assert items_taken(tx, "it's; mine").to_pylist() == ["a", "b", "d"]
        assert items_taken(tx, "yours").to_pylist() == []


def test_what_waits_for_people_is_told_by_queue_best_first(catalog: Catalog) -> None:
    tasks = [task("r", frame_id, rank) for rank, frame_id in enumerate("abcd")]
    with catalog.transaction() as tx:
        assert queues(tx) == []
        add_tasks(tx, tasks[::-1], queue="q")
        add_tasks(tx, [task("other", "a")], queue="it's")
        set_task_states(tx, [tasks[0].task_id, tasks[2].task_id], TaskState.SENT)
        set_task_states(tx, [tasks[1].task_id], TaskState.LABELED)
        assert queues(tx) == [
            QueueSummary("it's", {"queued": 1}),
            QueueSummary("q", {"labeled": 1, "queued": 1, "sent": 2}),
        ]
        waiting = waiting_tasks(tx, "q")
        assert [each.task_id for each in waiting] == [tasks[place].task_id for place in (0, 2, 3)]
        assert [each.state for each in waiting] == ["sent", "sent", "queued"]
        assert waiting_tasks(tx, "none") == []


def test_unlabelled_frames_are_those_that_nobody_ever_labelled(catalog: Catalog) -> None:
    with catalog.transaction() as tx:
        add_frame_rows(tx, columns(5))
        keep(tx, label("f1"), label("f3", revision=2))
        page = frames_page(tx, "", PageRequest(10), unlabelled=True)
        assert [frame.frame_id for frame in page.items] == ["f0", "f2", "f4"]
        assert count_matching(tx, "frame_number>=1", unlabelled=True) == (2, 1)
        assert count_matching(tx, "frame_number>=9", unlabelled=True) == (0, 0)
