"""Driving policies: how one is trained, and the versions that came out of it.

A policy is an ensemble of drivers that share their network and differ by their seed. It is cloned from recorded
drives, or it practises on the simulator; one that practises usually goes on from a clone, which is its parent then.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from al_platform.domain.jobs import Cost
from al_platform.errors import InvalidInput


@dataclass(frozen=True)
class CloningRecipe:
    """How drivers are cloned from what recorded egos saw, did and earned."""

    updates: int = 3000
    batch_steps: int = 512
    """Steps of one update, drawn by the weights of their scenarios."""
    learning_rate: float = 2e-3
    """Reached after a warm-up; falls to a tenth along a cosine."""
    value: float = 1e-3
    """Weight of the squared error of the value."""
    smoothing_bins: float = 0.5
    """Standard deviation of a normal over neighbouring bins that stands for the expert's; 0 for its bin alone."""
    clip_surprise: float = 0.0
    """Steps more surprising than this many times the mean count no more than that; 0 for never."""
    gusts: float = 0.3
    """Share of the seconds in which a gust turns the wheel of an expert, so that the way back is learned too."""
    discount: float = 0.97
    scenes: int = 96
    """Drawn at once by weight; a store may be larger than memory, these and their lessons are held there."""
    updates_a_draw: int = 50
    """Updates on the lessons of scenes that were drawn at once."""
    evaluate_every: int = 500
    """Updates between two points of the learning curve; a multiple of `updates_a_draw`."""

    def __post_init__(self) -> None:
        """Refuse recipes that cannot run."""
        _check_whole(self, "updates", "batch_steps", "scenes", "updates_a_draw", "evaluate_every")
        _check_multiple(self, "evaluate_every", "updates_a_draw")
        _check_positive(self, "learning_rate")
        _check_weights(self, "value", "smoothing_bins", "clip_surprise")
        _check_share(self, "discount", "gusts")


@dataclass(frozen=True)
class PracticeRecipe:
    """How drivers practise: proximal policy optimisation on V-trace targets."""

    iterations: int = 500
    """Of driving and learning from it."""
    scenes: int = 256
    """Driven at once by each driver."""
    sequence: int = 32
    """Steps of each scene in an iteration."""
    learning_rate: float = 1e-4
    clip: float = 0.2
    """The probability of an action counts as changed by this share at most."""
    value: float = 0.05
    """Weight of the squared error of the value."""
    entropy: float = 0.0
    cloned: float = 0.1
    """Weight of the divergence from the drivers it began with; 0 for none."""
    trace: float = 0.9
    """How much of what came later counts against the value, from step to step: 1 for all of it, which is noisy."""
    passes: int = 1
    """How often every sequence is learned from."""
    parts: int = 4
    """Updates of a pass; the scenes are dealt anew in each pass."""
    averaged: int = 50
    """Iterations over which the parameters are averaged for the drivers that come of it, which fail less than those
    of any single iteration; 0 for the last iteration's."""
    value_first: int = 100
    """Updates that teach the value alone while the drivers stay as they began, where `cloned` is above 0: a value
    that has seen experts alone foresees no failure, and would mislead the drivers until it does."""
    hard: float = 1.0
    """How many times as often as others scenes are drawn in which the drivers that it goes on from fail; 1 for all
    alike. More costs a drive through every scene before the first step, and teaches nothing to fresh drivers."""
    kept_advantages: float = 0.0
    """Steps whose advantage is below this share of the largest teach nothing; 0 for all."""
    discount: float = 0.97
    drawn: int = 512
    """Scenes drawn at once by weight, from which finished drives are replaced."""
    iterations_a_draw: int = 10
    evaluate_every: int = 50
    """Iterations between two points of the learning curve; a multiple of `iterations_a_draw`."""

    def __post_init__(self) -> None:
        """Refuse recipes that cannot run."""
        counts = ("iterations", "scenes", "sequence", "passes", "parts", "drawn", "iterations_a_draw")
        _check_whole(self, *counts, "evaluate_every")
        _check_multiple(self, "evaluate_every", "iterations_a_draw")
        if not 1.0 <= self.hard < math.inf:
            raise InvalidInput(f"hard {self.hard}: must be at least 1, which is all scenes alike")
        for name, counted in (("value_first", "updates"), ("averaged", "iterations")):
            if getattr(self, name) < 0:
                raise InvalidInput(f"{name} {getattr(self, name)}: must be a number of {counted}, 0 for none")
        _check_positive(self, "learning_rate", "clip")
        _check_weights(self, "value", "entropy", "cloned")
        _check_share(self, "kept_advantages", "discount")
        if not 0.0 <= self.trace <= 1.0:
            raise InvalidInput(f"trace {self.trace}: must be at least 0 and at most 1")
        if self.scenes % self.parts:
            raise InvalidInput(f"{self.scenes} scenes in {self.parts} parts: must divide evenly")

    @property
    def agent_steps(self) -> int:
        """Most steps that a driver makes in all iterations; less where recordings end within a sequence."""
        return self.iterations * self.scenes * self.sequence


@dataclass(frozen=True)
class Rewards:
    """What a step earns, as in `sim.rewards.RewardSpec`; kept with a policy, since its values mean nothing without."""

    progress: float = 0.025
    """For each metre along the route."""
    over_speed: float = -0.5
    """For each m/s over the limit during a second: more than the progress that it brings."""
    acceleration: float = -0.01
    """For each (m/s^2)^2 during a second."""
    lateral_acceleration: float = -0.01
    collision: float = -10.0
    """Once, for a collision ends a drive in training; so does leaving the route."""
    off_route: float = -10.0
    off_road: float = 0.0
    red_light: float = -5.0
    stop_line: float = -2.0
    wrong_way: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what is no number."""
        for name in self.__dataclass_fields__:
            if not math.isfinite(getattr(self, name)):
                raise InvalidInput(f"reward {name} {getattr(self, name)}: must be a number")


@dataclass(frozen=True)
class PolicySpec:
    """Everything that determines a policy besides its scenarios, its parent and its seed.

    It is cloned or it practises, so one recipe is given; who wants both trains twice, the second time from the first.
    """

    network: str = "xs"
    """Name of a size, see `sim.networks.NETWORKS`."""
    members: int = 1
    agents: int = 24
    """Closest agents that a driver sees."""
    roads: int = 32
    """Closest road elements that it sees."""
    route_points: int = 40
    """Points along the route that it sees, 2 m apart, from 20 m behind it on."""
    reactive: bool = True
    """Agents that follow the ego brake for it while it practises, and where the learning curve is measured. Without,
    everybody replays the recording: half of what a clone then runs into would be followers that never look ahead."""
    rewards: Rewards = field(default_factory=Rewards)
    cloning: CloningRecipe | None = None
    practice: PracticeRecipe | None = None

    def __post_init__(self) -> None:
        """Refuse policies without a driver, eyes or a recipe."""
        _check_whole(self, "members", "agents", "roads", "route_points")
        if (self.cloning is None) == (self.practice is None):
            how = "neither" if self.cloning is None else "both"
            raise InvalidInput(f"recipes of cloning and practice: {how} given, exactly one must be")


@dataclass(frozen=True)
class PolicyVersion:
    """A trained policy: the weights of all its drivers in one blob, and what they came from."""

    policy_id: str
    spec: PolicySpec
    dataset_version_id: str
    """The scenarios that it was trained on."""
    parent_id: str | None
    """The policy that it went on from; None where it began with fresh weights."""
    seed: int
    weights_hash: str
    curve_hash: str
    """Blob with the learning curve."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What it was trained with."""
    cost: Cost | None = None
    """What the training took in the process that ended it; None where it was found done."""
    held_out_share: float = 0.0
    """Of the sessions of its dataset version, which taught it nothing: see `held_out_among`."""


@dataclass(frozen=True)
class CurvePoint:
    """How good a policy was after so much training: means over its drivers."""

    step: int
    """Updates of cloning, iterations of practice."""
    agent_steps: int
    """Steps that each driver learned from so far."""
    measures: Mapping[str, float]
    """Greedy drives through held-out scenarios: `failure`, `progress_ratio` and the like; empty without any."""
    terms: Mapping[str, float]
    """Of the loss, means over the steps since scenes were last drawn."""


def _check_whole(record: object, *names: str) -> None:
    for name in names:
        if getattr(record, name) < 1:
            raise InvalidInput(f"{name} {getattr(record, name)}: must be at least 1")


def _check_multiple(record: object, name: str, of: str) -> None:
    whole, part = getattr(record, name), getattr(record, of)
    if whole % part:
        raise InvalidInput(f"{name} {whole}: must be a multiple of {of} {part}, for example {whole + -whole % part}")


def _check_positive(record: object, *names: str) -> None:
    for name in names:
        if not 0.0 < getattr(record, name) < math.inf:
            raise InvalidInput(f"{name} {getattr(record, name)}: must be a number greater than 0")


def _check_weights(record: object, *names: str) -> None:
    for name in names:
        if not 0.0 <= getattr(record, name) < math.inf:
            raise InvalidInput(f"{name} {getattr(record, name)}: must be a number, 0 or more")


def _check_share(record: object, *names: str) -> None:
    for name in names:
        if not 0.0 <= getattr(record, name) < 1.0:
            raise InvalidInput(f"{name} {getattr(record, name)}: must be at least 0 and below 1")
