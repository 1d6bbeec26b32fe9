"""Rounds that wait for labels: when to look again, and when to wait no more."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from al_platform.catalog.loops import loop_named, loop_of_round
from al_platform.catalog.queues import WAITING
from al_platform.catalog.rounds import steps_of
from al_platform.catalog.tasks import set_task_states, tasks_of
from al_platform.domain.clock import utc_now
from al_platform.domain.labels import TaskState
from al_platform.domain.loops import Closing
from al_platform.domain.rounds import Round, RoundState
from al_platform.loop.collecting import take_back
from al_platform.loop.context import LoopContext
from al_platform.loop.deciding import is_closed, look_again_s
from al_platform.loop.rounds import advance_round


@dataclass(frozen=True)
class Advanced:
    """A round as it is now; `rests_s` where it waits for labels: for how long nobody needs to look."""

    round: Round
    rests_s: float | None = None


def advance_or_close(context: LoopContext, round_id: str, state: RoundState, *, every_s: float) -> Advanced:
    """Run the step that follows `state`; a round of a loop that has waited long enough gives up what is still out.

    A round that waits looks again every `every_s` seconds, and at its deadline.

    Raises: as `advance_round`; LabelingUnavailable where what is given up cannot be taken back.
    """
    round_ = advance_round(context, round_id, state)
    if not (round_.state is state is RoundState.SENT):
        return Advanced(round_)
    closing, waited_s = _closing_of(context, round_id), _waited_s(context, round_id)
    if _give_up(context, round_, closing, waited_s=waited_s):
        round_ = advance_round(context, round_id, state)
    if round_.state is not RoundState.SENT:
        return Advanced(round_)
    return Advanced(round_, look_again_s(every_s, waited_s=waited_s, deadline_s=closing.deadline_s))


def _give_up(context: LoopContext, round_: Round, closing: Closing, *, waited_s: float) -> bool:
    """Take back what nobody has answered, where the round waits no more; says whether it does not."""
    with context.catalog.transaction() as tx:
        tasks = tasks_of(tx, round_.round_id)
    out = [task for task in tasks if task.state in WAITING]
    labelled = sum(task.state is TaskState.LABELED for task in tasks)
    if not is_closed(closing, done=len(tasks) - len(out), labelled=labelled, tasks=len(tasks), waited_s=waited_s):
        return False
    gone = take_back(context, round_, out)
    with context.catalog.transaction() as tx:
        set_task_states(tx, [task.task_id for task in out if task.task_id in gone], TaskState.WITHDRAWN)
    return True


def _closing_of(context: LoopContext, round_id: str) -> Closing:
    """A round of its own waits for all labels, however long it takes."""
    with context.catalog.transaction() as tx:
        loop_id = loop_of_round(tx, round_id)
        return loop_named(tx, loop_id).closing if loop_id else Closing()


def _waited_s(context: LoopContext, round_id: str) -> float:
    with context.catalog.transaction() as tx:
        sent = next((step for step in steps_of(tx, round_id) if step.step == "send"), None)
    if sent is None:
        return 0.0
    return max(0.0, (datetime.fromisoformat(utc_now()) - sent.ended_at) / timedelta(seconds=1))
