"""Rounds that wait for labels: when to look again, and when to wait no more."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from al_platform.catalog.loops import loop_named, loop_of_round
from al_platform.catalog.queues import withdraw_waiting
from al_platform.catalog.rounds import steps_of
from al_platform.catalog.tasks import tasks_of
from al_platform.domain.clock import utc_now
from al_platform.domain.labels import TaskState
from al_platform.domain.loops import Closing
from al_platform.domain.rounds import Round, RoundState
from al_platform.loop.context import LoopContext
from al_platform.loop.deciding import is_closed, look_again_s
from al_platform.loop.rounds import advance_round


@dataclass(frozen=True)
class Advanced:
    """A round as it is now; `rests_s` where it waits for labels: for how long nobody needs to look."""

    round: Round
    rests_s: float | None = None


def advance_or_close(context: LoopContext, round_id: str, state: RoundState) -> Advanced:
    """Run the step that follows `state`; a round of a loop that has waited long enough gives up what is still out.

    Raises: as `advance_round`.
    """
    round_ = advance_round(context, round_id, state)
    if not (round_.state is state is RoundState.SENT):
        return Advanced(round_)
    closing, waited_s = _closing_of(context, round_id), _waited_s(context, round_id)
    with context.catalog.transaction() as tx:
        states = [task.state for task in tasks_of(tx, round_id)]
        out = states.count(TaskState.SENT) + states.count(TaskState.QUEUED)
        labelled = states.count(TaskState.LABELED)
        if is_closed(closing, done=len(states) - out, labelled=labelled, tasks=len(states), waited_s=waited_s):
            withdraw_waiting(tx, round_id)
            out = 0
    if out == 0:
        return Advanced(advance_round(context, round_id, state))
    return Advanced(round_, look_again_s(waited_s, deadline_s=closing.deadline_s))


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
    since = datetime.fromisoformat(sent.started_at) + timedelta(seconds=sent.seconds)
    return max(0.0, (datetime.fromisoformat(utc_now()) - since) / timedelta(seconds=1))
