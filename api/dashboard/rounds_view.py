"""What pages show of a round: where it is among its steps, how far the step is, and what may be done about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from al_platform.domain.rounds import RoundState
from al_platform.domain.runs import RunState
from al_platform.platform.submissions import RoundStatus
from api.dashboard.pace import Pace

STEPS = (
    (RoundState.TRAINED, "train"),
    (RoundState.SCORED, "score"),
    (RoundState.SELECTED, "select"),
    (RoundState.SENT, "send"),
    (RoundState.LABELED, "collect"),
    (RoundState.APPENDED, "append"),
)
_ORDER = [RoundState.PLANNED, *(state for state, _ in STEPS)]
_LIVE = (RunState.QUEUED, RunState.RUNNING)


@dataclass(frozen=True)
class RoundView:
    """A round as a row of a table or the head of its page."""

    status: RoundStatus
    remaining_s: float | None

    @property
    def round_id(self) -> str:
        """Its id."""
        return self.status.round.round_id

    @property
    def word(self) -> str:
        """What is being done about it, else the last step that it finished."""
        run = self.status.run
        if run and run.stop_requested:
            return "stopping"
        return run.state.value if run and run.state is not RunState.FINISHED else self.status.round.state.value

    @property
    def live(self) -> bool:
        """Whether it changes by itself soon."""
        return self.status.run is not None and self.status.run.state in _LIVE

    @property
    def done_steps(self) -> int:
        """How many of STEPS are finished."""
        state = self.status.round.state
        return _ORDER.index(state) if state in _ORDER else 0

    @property
    def cancellable(self) -> bool:
        """Whether something is left to cancel."""
        ended = (RoundState.APPENDED, RoundState.FAILED, RoundState.CANCELLED)
        return self.status.round.state not in ended and self.word != "stopping"

    @property
    def resumable(self) -> bool:
        """Whether it waits for somebody to go on with it."""
        return self.cancellable and not self.live

    @property
    def message(self) -> str:
        """Why it waits or failed."""
        return (self.status.run.message if self.status.run else "") or self.status.round.message


def views_of(statuses: Sequence[RoundStatus], pace: Pace) -> list[RoundView]:
    """Give rounds as they are shown."""
    return [
        RoundView(status, pace.remaining_s(status.round.round_id, status.progress) if status.progress else None)
        for status in statuses
    ]
