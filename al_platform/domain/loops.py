"""Loops: rounds in a row, when each begins, when its labels suffice, and when there is nothing more to learn."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from al_platform.domain.driving import PolicyModel
from al_platform.domain.rounds import RoundSpec
from al_platform.domain.runs import require_scorers
from al_platform.errors import InvalidInput

CONTROL_SHARE = 0.1
"""Share of the picks of every round of a loop that is drawn whatever the scores say, unless another is asked for."""

_LEAST_WINDOW = 3
"""Two points always lie on a line: nothing would be left to tell noise by."""


@dataclass(frozen=True)
class Trigger:
    """When the next round begins, once the one before is appended. What is set must hold together; nothing: at once."""

    cron: str = ""
    """Five fields, UTC. A tick that nobody was there for, or that found a round still open, is passed over."""
    grown_by: int = 0
    """New frames of the pool since the round before. The first round does not wait for any."""

    def __post_init__(self) -> None:
        """Refuse a pool that shrinks."""
        if self.grown_by < 0:
            raise InvalidInput(f"grown_by {self.grown_by}: must be 0 or more frames")


@dataclass(frozen=True)
class Closing:
    """When a round waits for no more labels. What is still out then is withdrawn and may be picked again."""

    share: float = 1.0
    """Of the tasks of a round, in (0, 1]: labelled, rejected or withdrawn."""
    deadline_s: float | None = None
    """Since the tasks were sent; a round without any label goes on waiting."""

    def __post_init__(self) -> None:
        """Refuse shares and deadlines that nothing can meet."""
        if not 0.0 < self.share <= 1.0:
            raise InvalidInput(f"share {self.share}: must be above 0 and at most 1")
        if self.deadline_s is not None and not self.deadline_s > 0.0:
            raise InvalidInput(f"deadline {self.deadline_s} s: must be above 0")


@dataclass(frozen=True)
class Plateau:
    """The frozen-test metric has stopped rising: the interval of its gain per round lies below a gain."""

    window: int = 5
    """Rounds that are looked at, the newest ones."""
    gain: float = 0.002
    """Of the mean average precision of the targets, a round."""
    confidence: float = 0.9

    def __post_init__(self) -> None:
        """Refuse windows without an interval."""
        if self.window < _LEAST_WINDOW:
            raise InvalidInput(f"plateau of {self.window} rounds: must be at least {_LEAST_WINDOW}")
        if not 0.0 < self.confidence < 1.0:
            raise InvalidInput(f"confidence {self.confidence}: must be above 0 and below 1")


@dataclass(frozen=True)
class Stopping:
    """When a loop ends before its number of rounds; whatever holds first."""

    labels: int | None = None
    """Labelled frames that all rounds may take together; the last round is cut to what is left."""
    plateau: Plateau | None = None
    information: float | None = None
    """Mean mutual information of the pool, nats a cell and target, below which there is nothing left to learn."""

    def __post_init__(self) -> None:
        """Refuse budgets that allow nothing."""
        if self.labels is not None and self.labels < 1:
            raise InvalidInput(f"label budget {self.labels}: must be at least 1 frame")
        if self.information is not None and not self.information > 0.0:
            raise InvalidInput(f"information {self.information}: must be above 0 nats")


@dataclass(frozen=True)
class LoopSpec:
    """Rounds in a row: each trains on what the one before appended."""

    first: RoundSpec
    rounds: int | None
    """At most so many; None for as many as there are frames, or until a stopping rule or somebody ends it."""
    name: str = ""
    pool: str = ""
    """Filter by which every round freezes its pool anew; empty: all rounds pick from the pool of the first."""
    trigger: Trigger = Trigger()
    closing: Closing = Closing()
    stopping: Stopping = Stopping()
    warm_start: bool = False
    """Members begin as those of the round before, not fresh; where the encoder is another, they are fresh anyway.
    Drivers of scenarios are trained by the recipe from those of the round before."""
    scorers: int = 1
    """Processes that score the pool of every round."""

    def __post_init__(self) -> None:
        """Refuse loops without rounds, and rules that never hear what they wait for."""
        if self.rounds is not None and self.rounds < 1:
            raise InvalidInput(f"rounds {self.rounds}: must be at least 1")
        require_scorers(self.scorers)
        model = self.first.model
        if self.warm_start and isinstance(model, PolicyModel) and model.training is None:
            raise InvalidInput(f"warm start: policy {model.policy_id} is only asked; give a recipe to train by")
        if self.trigger.grown_by and not self.pool:
            raise InvalidInput(f"grown_by {self.trigger.grown_by}: the pool of this loop is frozen; give its filter")


class LoopState(StrEnum):
    """What is being done about a loop."""

    ACTIVE = "active"
    PAUSED = "paused"
    """By somebody, or by a round that failed; the message says."""
    FINISHED = "finished"
    CANCELLED = "cancelled"


LOOP_ENDED = (LoopState.FINISHED, LoopState.CANCELLED)
"""Nothing more will happen."""


@dataclass(frozen=True)
class LoopRun:
    """A loop that was given to the service. Times are UTC; `next_at` is the tick that it waits for."""

    loop_id: str
    state: LoopState
    created_by: str
    created_at: str
    message: str = ""
    next_at: str | None = None


@dataclass(frozen=True)
class LoopRound:
    """A round of a loop: what it began with and, once it is appended, what it showed."""

    number: int
    """From 1."""
    round_id: str
    begun_at: str
    pool_frames: int
    ended_at: str | None = None
    """Appended, or cancelled by somebody; None while it is on its way."""
    appended: bool = False
    labels: int = 0
    """Frames that were labelled."""
    metric: float | None = None
    """Mean average precision of the targets on the frozen test set, of the ensemble that picked."""
    information: float | None = None
    """Mean mutual information of the pool, nats a cell and target; None where the strategy reads no score."""
    picked_frames: int = 0
    """Labelled frames that the strategy picked, and the positive target cells in them."""
    picked_cells: int = 0
    control_frames: int = 0
    """Labelled frames of the control share, and the positive target cells in them."""
    control_cells: int = 0

    @property
    def gain(self) -> float | None:
        """Positive cells of a picked frame to those of a control frame; None where the control found none."""
        return gain_over_control([self])


def gain_over_control(rounds: Sequence[LoopRound]) -> float | None:
    """Give the positive cells of a picked frame to those of a control frame; above 1 the strategy finds more.

    None where nothing was picked or the control found nothing.
    """
    picked, controls = sum(each.picked_frames for each in rounds), sum(each.control_frames for each in rounds)
    control_cells = sum(each.control_cells for each in rounds)
    if not picked or not control_cells:
        return None
    return (sum(each.picked_cells for each in rounds) / picked) / (control_cells / controls)
