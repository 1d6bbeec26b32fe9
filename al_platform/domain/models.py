"""What is trained: the specification of an ensemble and the versions that came out of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from al_platform.errors import InvalidInput


@dataclass(frozen=True)
class GridSpec:
    """Frames are resized to `image_height` x `image_width` pixels and cut into square cells.

    A class is present in a cell where it covers at least `positive_share` of the cell's known pixels.
    """

    image_height: int = 224
    image_width: int = 320
    cell: int = 16
    positive_share: float = 0.10

    def __post_init__(self) -> None:
        """Refuse grids whose cells do not tile the image."""
        if self.image_height < 1 or self.image_width < 1:
            raise InvalidInput(
                f"image {self.image_width}x{self.image_height}: width and height must be at least 1 pixel"
            )
        if self.cell < 1 or self.image_height % self.cell or self.image_width % self.cell:
            raise InvalidInput(f"cell {self.cell}: must divide the image {self.image_width}x{self.image_height}")
        if not 0.0 < self.positive_share <= 1.0:
            raise InvalidInput(f"positive_share {self.positive_share}: must be in (0, 1]")

    @property
    def rows(self) -> int:
        """Cells from top to bottom."""
        return self.image_height // self.cell

    @property
    def columns(self) -> int:
        """Cells from left to right."""
        return self.image_width // self.cell


@dataclass(frozen=True)
class TrainingSpec:
    """How every member is trained. The same recipe for every arm of an experiment."""

    steps: int = 250
    batch_frames: int = 16
    learning_rate: float = 2e-2
    weight_decay: float = 1.0
    evaluate_every: int = 25
    validation_folds: int = 8
    """Labelled sessions are dealt into this many folds; member n stops early on fold n mod folds."""
    doubt: float = 0.0
    """In [0, 1]: how much less a label counts in the loss the less reliable it is; 0: every label alike."""

    def __post_init__(self) -> None:
        """Refuse recipes that cannot run."""
        for name in ("steps", "batch_frames", "evaluate_every"):
            if getattr(self, name) < 1:
                raise InvalidInput(f"{name} {getattr(self, name)}: must be at least 1")
        if not 0.0 < self.learning_rate < math.inf:
            raise InvalidInput(f"learning_rate {self.learning_rate}: must be a number greater than 0")
        if not 0.0 <= self.weight_decay < math.inf:
            raise InvalidInput(f"weight_decay {self.weight_decay}: must be a number, 0 or more")
        if self.validation_folds < 2:
            raise InvalidInput(f"validation_folds {self.validation_folds}: must be at least 2")
        if not 0.0 <= self.doubt <= 1.0:
            raise InvalidInput(f"doubt {self.doubt}: must be at least 0 (every label alike) and at most 1")
        if self.steps % self.evaluate_every:
            nearest = max(1, self.steps // self.evaluate_every) * self.evaluate_every
            raise InvalidInput(
                f"steps {self.steps}: must be a multiple of evaluate_every {self.evaluate_every}, for example {nearest}"
            )


@dataclass(frozen=True)
class ModelSpec:
    """Everything that determines an ensemble besides its data and its seed.

    Members share architecture and data; they differ by the seed of their initial weights.
    """

    classes: tuple[str, ...]
    family: str = "prefix-heads"
    members: int = 8
    grid: GridSpec = field(default_factory=GridSpec)
    training: TrainingSpec = field(default_factory=TrainingSpec)
    options: Mapping[str, int] = field(default_factory=dict)
    """Sizes that only the family knows, for example {"hidden": 48}."""

    def __post_init__(self) -> None:
        """Refuse ensembles without classes or without members."""
        if not self.classes:
            raise InvalidInput("no classes: name at least one, for example --classes pedestrian,bicyclist")
        if len(set(self.classes)) != len(self.classes):
            raise InvalidInput(f"classes {', '.join(self.classes)}: each may be named once")
        if self.members < 1:
            raise InvalidInput(f"members {self.members}: must be at least 1")

    def __hash__(self) -> int:
        """Hash by content, options included, so that compiled functions can be kept by specification."""
        options = tuple(sorted(self.options.items()))
        return hash((self.classes, self.family, self.members, self.grid, self.training, options))


@dataclass(frozen=True)
class ModelVersion:
    """One trained member: where it stopped and how it did on its validation fold."""

    member: int
    best_step: int
    validation_loss: float
    """Binary cross-entropy in nats per known cell and class."""
    temperature: float


@dataclass(frozen=True)
class EnsembleVersion:
    """A trained ensemble: the weights of all members in one blob, and what they came from."""

    ensemble_id: str
    spec: ModelSpec
    dataset_version_id: str
    encoder_id: str
    seed: int
    weights_hash: str
    members: tuple[ModelVersion, ...]
