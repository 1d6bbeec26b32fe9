"""A round of a loop that waits for people: closed by a share of its labels, and what was out may be picked again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pytest

from al_platform.catalog.loops import add_loop
from al_platform.domain.clock import utc_now
from al_platform.domain.labels import LabelTask
from al_platform.domain.loops import Closing, LoopSpec
from al_platform.domain.rounds import RoundState
from al_platform.labeling.base import LabelingTool, TaskResult
from al_platform.loop.closing import advance_or_close
from al_platform.loop.rounds import advance_round, submit_round
from al_platform.loop.steps import STEPS
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context
from tests.fleet import contents, round_spec

pytestmark = pytest.mark.story
BUDGET = 5


@dataclass
class Slow:
    """Annotators who have answered the first tasks only."""

    tool: LabelingTool
    answered: int
    name: str = "offline"

    def send(self, tasks: Sequence[LabelTask]) -> None:
        self.tool.send(tasks)

    def collect(self, tasks: Sequence[LabelTask], *, since: str = "") -> Iterator[TaskResult]:
        return self.tool.collect(tasks[: self.answered], since=since)

    def withdraw(self, tasks: Sequence[LabelTask]) -> frozenset[str]:
        return self.tool.withdraw(tasks)


def test_a_share_of_the_labels_closes_a_round_and_the_rest_is_withdrawn(platform: Platform) -> None:
    context = loop_context(platform)
    slow = Slow(context.tools["offline"], answered=2)
    context = replace(context, tools={"offline": slow})
    spec = round_spec(platform, "random", budget=BUDGET, test="")
    with platform.catalog.transaction() as tx:
        add_loop(tx, "loop_1", LoopSpec(spec, 1, closing=Closing(share=0.6)), now=utc_now())
    round_ = submit_round(context, spec, loop_id="loop_1")
    for state in list(STEPS)[:4]:
        round_ = advance_round(context, round_.round_id, state)
    assert round_.state is RoundState.SENT
    waits = advance_or_close(context, round_.round_id, RoundState.SENT, every_s=60.0)
    assert waits.round.state is RoundState.SENT
    assert waits.round.message.startswith("3 of 5 labels are still out")
    assert waits.rests_s == 60.0
    slow.answered = 3
    closed = advance_or_close(context, round_.round_id, RoundState.SENT, every_s=60.0)
    assert closed.round.state is RoundState.LABELED
    states = [row["state"] for row in sorted(contents(platform)["tasks"], key=lambda row: row["rank"])]
    assert states == ["labeled"] * 3 + ["withdrawn"] * 2
    appended = advance_round(context, round_.round_id, RoundState.LABELED)
    assert appended.state is RoundState.APPENDED
    assert advance_round(context, round_.round_id, RoundState.SENT) == appended  # what is done is not done again
