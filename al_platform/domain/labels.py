"""What people said about a frame, and what they were asked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from al_platform.domain.data import BlobRef
from al_platform.domain.records import record_from_json
from al_platform.domain.triage import Triage
from al_platform.errors import InvalidInput

CONTROL_CLASS = "control"
"""What a frame is picked for that was drawn whatever the scores say. No target has this name."""


@dataclass(frozen=True)
class ObjectClass:
    """A class of objects that can be labelled, for example pedestrian."""

    name: str


@dataclass(frozen=True)
class Box:
    """An axis-aligned box in pixels of the original image; x to the right, y down, maxima exclusive."""

    class_name: str
    x_min: float
    y_min: float
    x_max: float
    y_max: float


@dataclass(frozen=True)
class Annotation:
    """The label of one frame: a mask with the meaning of its values, or boxes; never both.

    `classes` are the classes the annotator was looking for: of these, what is not marked is absent.
    Of any other class nothing is known.
    """

    frame_id: str
    classes: tuple[str, ...]
    source: str
    revision: int = 1
    mask: BlobRef | None = None
    mask_values: Mapping[str, str] = field(default_factory=dict)
    """Mask value (as decimal text) to class name; values named here but in no class are known background."""
    ignore_values: tuple[int, ...] = ()
    """Mask values whose pixels are unknown."""
    boxes: tuple[Box, ...] = ()
    width: int = 0
    height: int = 0

    def __post_init__(self) -> None:
        """Refuse labels that say two things at once."""
        if self.mask is not None and self.boxes:
            raise InvalidInput(
                f"label of frame {self.frame_id}: has a mask and {len(self.boxes)} boxes; give one of the two"
            )

    @property
    def item_id(self) -> str:
        """What it is the label of."""
        return self.frame_id


Label = Annotation | Triage
"""What came back for an item: of a frame, or of a scenario."""


def label_from_json(text: str) -> Label:
    """Give the label that `canonical_json` wrote.

    Raises: pydantic.ValidationError where the text is none.
    """
    label: Label = record_from_json(Label, text)  # type: ignore[arg-type]  # a union is no class, but parses as one
    return label


@dataclass(frozen=True)
class Answer:
    """What one person said about one task: boxes (none is "nothing there"), a triage, or why the item is rejected."""

    task_id: str
    answer_id: str
    """The labelling tool's own name for it, the same when it is corrected."""
    annotator: str
    changed_at: str
    """When it was last changed, UTC as ISO text of fixed width on the tool's clock; later sorts after."""
    boxes: tuple[Box, ...] = ()
    triage: Triage | None = None
    """What was said of a scenario; the label of a task of frames is made of the boxes."""
    rejected: str = ""
    problem: str = ""
    """Why it cannot be used; empty where it can."""
    decisive: bool = False
    """Given by a reviewer: it stands whatever others said, and others are measured against it."""
    seconds: float | None = None
    """How long the person worked on it."""


class TaskState(StrEnum):
    """Life of one request to the labellers."""

    QUEUED = "queued"
    SENT = "sent"
    LABELED = "labeled"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class LabelTask:
    """One frame in a labelling queue, in the order in which people should see it (rank 0 first).

    `for_class` is the target that the frame was picked for, or CONTROL_CLASS for a control pick, whose score is 0.
    """

    task_id: str
    round_id: str
    item_id: str
    for_class: str
    rank: int
    score: float
    state: TaskState = TaskState.QUEUED
