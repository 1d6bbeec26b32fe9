"""What an experiment asks and what it found."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from al_platform.domain.models import ModelSpec
from al_platform.domain.rounds import Budget, StrategySpec
from al_platform.errors import InvalidInput


@dataclass(frozen=True)
class Thinning:
    """Makes a long tail: of the pool's frames that show a class, one in `keep_one_in` stays, drawn by `seed`."""

    class_name: str
    keep_one_in: int
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse thinning that keeps nothing or everything twice."""
        if self.keep_one_in < 2:
            raise InvalidInput(f"thinning 1 in {self.keep_one_in}: must be at least 2")


@dataclass(frozen=True)
class ExperimentSpec:
    """An A/B test: every strategy starts from the same labels, per seed, and follows the same recipe."""

    name: str
    model: ModelSpec
    targets: tuple[str, ...]
    pool_filter: str
    test_filter: str
    strategies: tuple[StrategySpec, ...]
    budget: Budget
    start: int
    rounds: int
    seeds: int
    thinning: Thinning | None = None

    def __post_init__(self) -> None:
        """Refuse experiments that compare nothing."""
        if not self.strategies:
            raise InvalidInput("no strategies: name at least one, for example --strategies mi,random")
        for name in ("start", "rounds", "seeds"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name} {getattr(self, name)}: must be at least 1")


@dataclass(frozen=True)
class CurvePoint:
    """One ensemble of one arm: what it cost in labels so far, and how good it is on the frozen test set.

    `round_index` 0 is the reference model, trained on the start set alone, the same for every arm of a seed.
    """

    arm: str
    seed: int
    round_index: int
    frames: int
    """Labelled frames so far, the start set included."""
    positive_cells: Mapping[str, int]
    """Per class of the model: labelled cells in which it is present, so far."""
    objects: Mapping[str, int]
    """Per class of the model: labelled objects so far."""
    sessions: int
    """Distinct sessions among the labelled frames."""
    average_precision: Mapping[str, float]
    """Per class, over the cells of the frozen test set, in [0, 1]; classes absent from it are left out."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Step of the round that led here to how long it took."""
    picked_without_target: int = 0
    """Hard negatives: frames of this round whose label shows none of the targets."""
    picked: int = 0
    """Frames labelled in this round."""


@dataclass(frozen=True)
class Picked:
    """A picture for the report: one frame that an arm picked, with the disagreement that chose it."""

    arm: str
    frame_id: str
    image: bytes
    """Encoded JPEG or PNG."""
    for_class: str
    score: float
    rank: int
    session_id: str
    heatmap: tuple[tuple[float, ...], ...]
    """Mutual information per cell [rows][columns] of the class it was picked for, nats.

    For a control pick the largest of the targets.
    """
    shows_target: bool
    """Whether its label then showed a target class; False is a hard negative."""


@dataclass(frozen=True)
class ExperimentResult:
    """Everything a report needs."""

    experiment_id: str
    spec: ExperimentSpec
    points: tuple[CurvePoint, ...]
    pool_frames: int
    pool_sessions: int
    test_frames: int
    test_sessions: int
    environment: Mapping[str, str] = field(default_factory=dict)
    gallery: tuple[Picked, ...] = ()
