"""What people said of the scenarios of a round, as it is answered."""

from pydantic import Field

from api.schemas.base import Out


class EventPrecisionOut(Out):
    """A detected event: how often people found that it happened, and that it did not."""

    event: str = Field(examples=["collision"])
    confirmed: int
    denied: int
    precision: float = Field(description="Share of the judged events that happened")


class TriageOut(Out):
    """Verdicts so far on the `picked` scenarios of a round, and how precise the detected events were."""

    picked: int
    accepted: int
    bad_recordings: int
    duplicates: int
    events: list[EventPrecisionOut]
