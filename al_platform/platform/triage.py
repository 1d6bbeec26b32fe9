"""What triage says of scenarios, and of the events that were detected in them."""

from collections import Counter
from dataclasses import dataclass

from al_platform.catalog.annotations import newest_triages
from al_platform.domain.triage import Triage
from al_platform.platform.home import Platform


@dataclass(frozen=True)
class EventPrecision:
    """How often people found a detected event to be real."""

    event: str
    confirmed: int
    denied: int

    @property
    def precision(self) -> float:
        """Share of the judged events that happened, in [0, 1]."""
        return self.confirmed / (self.confirmed + self.denied)


def triages(platform: Platform, round_id: str = "") -> list[Triage]:
    """Give the newest triage of every task of a round, or of all rounds, by round and rank; rejected ones too."""
    with platform.catalog.transaction() as tx:
        return newest_triages(tx, round_id)


def event_precision(platform: Platform, round_id: str = "") -> list[EventPrecision]:
    """Give how many of the detected events people confirmed, in a round or in all, by name of the event.

    Events that nobody judged are left out: of them nothing is known.
    """
    judged = Counter((event, real) for triage in triages(platform, round_id) for event, real in triage.events.items())
    events = sorted({event for event, _ in judged})
    return [EventPrecision(event, judged[event, True], judged[event, False]) for event in events]
