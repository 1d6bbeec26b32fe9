"""What triage says of scenarios, and of the events that were detected in them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from al_platform.catalog.annotations import newest_triages
from al_platform.catalog.tasks import tasks_of
from al_platform.domain.labels import TaskState
from al_platform.domain.rounds import Round
from al_platform.domain.triage import Triage, Verdict
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


@dataclass(frozen=True)
class RoundTriage:
    """What people said of the scenarios of a round so far."""

    picked: int
    """Tasks of the round, less those that were withdrawn."""
    accepted: int
    bad_recordings: int
    duplicates: int
    events: tuple[EventPrecision, ...]
    """The detected events that people judged, by name."""

    @property
    def told(self) -> int:
        """How many of them people have told of."""
        return self.accepted + self.bad_recordings + self.duplicates


def round_triage(platform: Platform, round_: Round) -> RoundTriage | None:
    """Give what people said of the scenarios of a round so far; None for a round of frames."""
    if not round_.of_scenarios:
        return None
    with platform.catalog.transaction() as tx:
        tasks = tasks_of(tx, round_.round_id)
        said = newest_triages(tx, round_.round_id)
    verdicts = Counter(triage.verdict for triage in said)
    return RoundTriage(
        picked=sum(task.state is not TaskState.WITHDRAWN for task in tasks),
        accepted=verdicts[Verdict.ACCEPT],
        bad_recordings=verdicts[Verdict.REJECT],
        duplicates=verdicts[Verdict.DUPLICATE],
        events=_precision(said),
    )


def triages(platform: Platform, round_id: str = "") -> list[Triage]:
    """Give the newest triage of every task of a round, or of all rounds, by round and rank; rejected ones too."""
    with platform.catalog.transaction() as tx:
        return newest_triages(tx, round_id)


def event_precision(platform: Platform, round_id: str = "") -> tuple[EventPrecision, ...]:
    """Give how many of the detected events people confirmed, in a round or in all, by name of the event.

    Events that nobody judged are left out: of them nothing is known.
    """
    return _precision(triages(platform, round_id))


def _precision(said: Sequence[Triage]) -> tuple[EventPrecision, ...]:
    judged = Counter((event, real) for triage in said for event, real in triage.events.items())
    events = sorted({event for event, _ in judged})
    return tuple(EventPrecision(event, judged[event, True], judged[event, False]) for event in events)
