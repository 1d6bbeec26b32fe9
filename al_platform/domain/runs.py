"""The service's side of a round: who asked for it, and whether it is being run."""

from dataclasses import dataclass
from enum import StrEnum


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
