"""The service's side of a round: who asked for it, and whether it is being run."""

from dataclasses import dataclass
from enum import StrEnum

from al_platform.domain.rounds import RoundSpec
from al_platform.errors import InvalidInput


class RunState(StrEnum):
    """What the service is doing about a round."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    """Labels are still out, or the labelling tool is away; looked at again by itself."""
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


ENDED = (RunState.FINISHED, RunState.CANCELLED)
"""Nothing more will happen."""

TO_BE_RUN = (RunState.QUEUED, RunState.RUNNING, RunState.WAITING)
"""What a restarted service goes on with."""


@dataclass(frozen=True)
class RoundRun:
    """A round that was given to the service. `attempts` counts how often it was taken up."""

    round_id: str
    state: RunState
    submitted_by: str
    submitted_at: str
    attempts: int = 0
    stop_requested: bool = False
    message: str = ""


@dataclass(frozen=True)
class RoundRequest:
    """A round as it is asked for: what is wanted, and filters of its pool and of its test set ("" for none).

    `wanted` names no pool and no test set yet; a start set of `start` frames is bought where it names no version.
    """

    wanted: RoundSpec
    pool: str
    test: str = ""
    start: int = 40
    scorers: int = 1
    """Processes that score the pool."""

    def __post_init__(self) -> None:
        """Refuse rounds that nobody scores."""
        require_scorers(self.scorers)


@dataclass(frozen=True)
class KnownRequest:
    """A request that the service keeps; `round_id` is None until its pool is frozen."""

    request_id: str
    request: RoundRequest
    submitted_by: str
    submitted_at: str
    round_id: str | None = None


def require_scorers(scorers: int) -> None:
    """Check how many processes score a pool.

    Raises: InvalidInput below 1.
    """
    if scorers < 1:
        raise InvalidInput(f"scorers {scorers}: must be at least 1 process")
