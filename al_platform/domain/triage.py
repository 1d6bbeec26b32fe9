"""What people say of a scenario: whether it can be used, what it shows, and whether what was detected happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from al_platform.errors import InvalidInput

HARDEST = 5
"""Difficulty is 1 (easy) to this."""


class Verdict(StrEnum):
    """What becomes of a scenario."""

    ACCEPT = "accept"
    REJECT = "reject"
    """A bad recording."""
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Triage:
    """The label of one scenario."""

    scenario_id: str
    verdict: Verdict
    source: str
    revision: int = 1
    tags: tuple[str, ...] = ()
    difficulty: int | None = None
    """1 (easy) to HARDEST; None where nobody said."""
    text: str = ""
    events: Mapping[str, bool] = field(default_factory=dict)
    """Detected event to whether it happened; one that nobody could tell is left out."""

    def __post_init__(self) -> None:
        """Refuse difficulties that nobody can give."""
        if self.difficulty is not None and not 1 <= self.difficulty <= HARDEST:
            raise InvalidInput(f"difficulty {self.difficulty} of {self.scenario_id}: must be 1 to {HARDEST}")

    @property
    def item_id(self) -> str:
        """What it is the label of."""
        return self.scenario_id

    @property
    def rejected(self) -> str:
        """Why the scenario is not learned from; empty where it is."""
        if self.verdict is Verdict.ACCEPT:
            return ""
        reason = "bad recording" if self.verdict is Verdict.REJECT else "duplicate"
        return f"{reason}: {self.text}" if self.text else reason
