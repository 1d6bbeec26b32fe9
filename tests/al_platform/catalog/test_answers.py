"""Answers of people: every state is kept, the newest is given."""

from dataclasses import replace

import pytest

from al_platform.catalog.answers import add_answers, answers_of_round, read_until
from al_platform.catalog.connection import Catalog
from al_platform.catalog.tasks import add_tasks, set_task_states
from al_platform.domain.labels import Answer, Box, LabelTask, TaskState

TASKS = [LabelTask(f"tsk_{n}", "rnd", f"frm_{n}", "person", 1 - n, 0.5) for n in range(2)]
FIRST, SECOND = (
    Answer(
        f"tsk_{n}", str(n), "user 1", f"2026-01-0{n + 1}T00:00:00.000000Z", (Box("person", 0, 0, 4.5, 4),), seconds=2.0
    )
    for n in range(2)
)


@pytest.fixture
def asked(catalog: Catalog) -> Catalog:
    with catalog.transaction() as tx:
        add_tasks(tx, TASKS, queue="q")
    return catalog


def test_answers_come_back_in_the_order_of_ranks_and_once(asked: Catalog) -> None:
    for _ in range(2):
        with asked.transaction() as tx:
            add_answers(tx, [FIRST, SECOND])
    with asked.transaction() as tx:
        assert answers_of_round(tx, "rnd") == [SECOND, FIRST]
        assert answers_of_round(tx, "other") == []
        add_answers(tx, [])


def test_a_changed_answer_joins_its_former_state(asked: Catalog) -> None:
    changed = replace(FIRST, boxes=(), rejected="blurred", changed_at="2026-01-05T00:00:00.000000Z")
    with asked.transaction() as tx:
        add_answers(tx, [changed])
        add_answers(tx, [FIRST])
        assert answers_of_round(tx, "rnd") == [changed]
        assert tx.execute("SELECT count(*) FROM answers").fetchall() == [(2,)]


def test_the_watermark_never_passes_an_answer_of_a_task_that_waits(asked: Catalog) -> None:
    with asked.transaction() as tx:
        assert read_until(tx, "rnd") == ""
        add_answers(tx, [FIRST, SECOND])
        set_task_states(tx, ["tsk_1"], TaskState.LABELED)
        assert read_until(tx, "rnd") == FIRST.changed_at
        set_task_states(tx, ["tsk_0"], TaskState.REJECTED)
        assert read_until(tx, "rnd") == SECOND.changed_at
