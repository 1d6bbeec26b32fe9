"""One acquisition round: what is asked for, how far it is, and what it picked."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from al_platform.domain.driving import PolicyModel
from al_platform.domain.labels import CONTROL_CLASS
from al_platform.domain.models import ModelSpec
from al_platform.errors import InvalidInput

SEED_LIMIT = 2**31
"""Seeds are below this: what every generator of random numbers takes."""
NEW = "new"
"""In place of a curriculum's filter: what the round that made a dataset version added; all of a start set."""


class RoundState(StrEnum):
    """The last step that was finished, or how the round ended."""

    PLANNED = "planned"
    TRAINED = "trained"
    SCORED = "scored"
    SELECTED = "selected"
    SENT = "sent"
    LABELED = "labeled"
    APPENDED = "appended"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True)
class Budget:
    """How much is labelled in a round: frames, or objects at most `frames` frames.

    With `objects` set, the queue is labelled in rank order until the labels hold that many positive cells.
    """

    frames: int
    objects: int | None = None

    def __post_init__(self) -> None:
        """Refuse empty budgets."""
        if self.frames < 1:
            raise InvalidInput(f"budget {self.frames}: must be at least 1 frame")
        if self.objects is not None and self.objects < 1:
            raise InvalidInput(f"object budget {self.objects}: must be at least 1 positive cell")


@dataclass(frozen=True)
class StrategySpec:
    """How frames are picked: a strategy by name, and what its picks keep besides its ranking.

    A limit that a strategy cannot keep is refused with the round.
    """

    name: str = "mixdist"
    session_cap: int | None = None
    """At most this many frames of one session in one round; None for no cap."""
    minimum_gap_s: float = 0.0
    """At least this many seconds between two picked frames of one session; needs timestamps."""
    minimum_distance: float = 0.0
    """At least this far from every other frame picked in this round: Euclid's distance of embeddings, not squared."""
    group_quota: int | None = None
    """At most this many frames of one group in one round; None for no quota."""
    group_tag: str = ""
    """The tag whose value names the group of a frame; frames without the tag are counted by no quota."""
    control_share: float = 0.0
    """Share of the picks, in [0, 1), that is drawn by the seed whatever the scores say, stratified by session."""
    guard: float | None = None
    """Chance of being a bad recording, by all verdicts so far, from which a scenario is picked only as control; in
    (0, 1). None: no guard."""

    def __post_init__(self) -> None:
        """Refuse limits that no selection can keep."""
        for name in ("session_cap", "group_quota"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InvalidInput(f"{name} {value}: must be at least 1, or left out for no {name.split('_')[1]}")
        if not 0.0 <= self.minimum_gap_s < math.inf:
            raise InvalidInput(f"minimum_gap_s {self.minimum_gap_s}: must be 0 or more seconds")
        if not 0.0 <= self.minimum_distance < math.inf:
            raise InvalidInput(f"minimum_distance {self.minimum_distance}: must be a number, 0 or more")
        if bool(self.group_tag) != (self.group_quota is not None):
            raise InvalidInput(
                f"group_quota {self.group_quota} of tag {self.group_tag!r}: name both the quota and the tag, or neither"
            )
        if not 0.0 <= self.control_share < 1.0:
            raise InvalidInput(f"control_share {self.control_share}: must be at least 0 and below 1")
        if self.guard is not None and not 0.0 < self.guard < 1.0:
            raise InvalidInput(f"guard {self.guard}: must be a chance above 0 and below 1, or left out for no guard")


@dataclass(frozen=True)
class CurriculumShare:
    """A part of a curriculum: the labelled items that a filter matches, and how much of every batch is theirs."""

    filter: str
    """As for `alp frames --filter`; empty for every item, NEW for those that the last round added."""
    share: float
    """Relative to the other shares. An item that two filters match counts in both."""

    def __post_init__(self) -> None:
        """Refuse shares that nothing can be drawn by."""
        if not 0.0 <= self.share < math.inf:
            raise InvalidInput(f"curriculum share {self.share} of {self.filter!r}: must be a number, 0 or more")


@dataclass(frozen=True)
class RoundSpec:
    """A request for one round: TRAIN on a dataset version, QUERY a pool, ANNOTATE, APPEND."""

    model: ModelSpec | PolicyModel
    """An ensemble that looks at frames, or drivers of scenarios: it decides of what the round is."""
    dataset_version_id: str
    pool_id: str
    targets: tuple[str, ...]
    """Classes to find, in the order of the round-robin; a subset of the model's classes. Drivers find kinds of failure,
    disagreement on what to do, and scenes with a tag."""
    budget: Budget
    strategy: StrategySpec = field(default_factory=StrategySpec)
    seed: int = 0
    test_version_id: str | None = None
    """Frozen test set on which the trained ensemble is measured; never read by any other step. Not for drivers."""
    annotator: str = "offline"
    queue: str = "main"
    """Labelling queue. An item is picked once per queue; each arm of an experiment has its own."""
    filter: str = ""
    """Only items of the pool that match may be picked; all are scored. Empty: every item."""
    curriculum: tuple[CurriculumShare, ...] = ()
    """What training draws how often; empty: every labelled item alike. Validation and calibration see all alike."""
    listed: tuple[str, ...] = ()
    """Items of the pool picked by hand, in the order people should see them; the strategy then picks nothing."""
    initial_ensemble_id: str | None = None
    """Members begin as those of this ensemble, of the same model and encoder; None: fresh ones, drawn by the seed."""

    def __post_init__(self) -> None:
        """Refuse rounds whose targets the model does not know, and seeds that no generator takes."""
        if not self.targets:
            raise InvalidInput("no target classes: name at least one, for example --targets pedestrian")
        unknown = [name for name in self.targets if name not in self.model.classes]
        if unknown:
            raise InvalidInput(
                f"target {', '.join(unknown)}: not a class of the model ({', '.join(self.model.classes)})"
            )
        if CONTROL_CLASS in self.targets:
            raise InvalidInput(f"target {CONTROL_CLASS}: is what control picks are listed for; rename the class")
        if len(set(self.targets)) != len(self.targets):
            raise InvalidInput(f"targets {', '.join(self.targets)}: each may be named once")
        if self.curriculum and not any(part.share for part in self.curriculum):
            raise InvalidInput("curriculum: all shares are 0; give at least one above 0, or no curriculum")
        if len(set(self.listed)) != len(self.listed):
            raise InvalidInput("listed items: each may be named once")
        if not 0 <= self.seed < SEED_LIMIT:
            raise InvalidInput(f"seed {self.seed}: must be at least 0 and below {SEED_LIMIT}")

    @property
    def frame_model(self) -> ModelSpec:
        """The ensemble of a round of frames.

        Raises: InvalidInput for a round of scenarios.
        """
        if isinstance(self.model, PolicyModel):
            raise InvalidInput("a round of scenarios: its drivers look at no frames")
        return self.model

    @property
    def policy_model(self) -> PolicyModel:
        """The drivers of a round of scenarios.

        Raises: InvalidInput for a round of frames.
        """
        if not isinstance(self.model, PolicyModel):
            raise InvalidInput("a round of frames: nobody drives in it")
        return self.model


@dataclass(frozen=True)
class Round:
    """A round and everything its finished steps produced."""

    round_id: str
    spec: RoundSpec
    state: RoundState = RoundState.PLANNED
    ensemble_id: str | None = None
    """Who picks: an ensemble, or the policy of a round of scenarios."""
    score_id: str | None = None
    dataset_version_id: str | None = None
    """The version that APPEND made."""
    message: str = ""

    @property
    def of_scenarios(self) -> bool:
        """Whether scenarios are picked, and not frames."""
        return isinstance(self.spec.model, PolicyModel)


@dataclass(frozen=True)
class Selection:
    """One picked item: for which class (CONTROL_CLASS for control), with which score, at which place of the queue."""

    item_id: str
    for_class: str
    score: float
    rank: int


Metrics = Mapping[str, float]
