"""Sessions, frames, tags, datasets, labels, lineage, search."""

from typing import Any

from pydantic import Field

from al_platform.domain.hashing import to_plain
from al_platform.domain.labels import Annotation
from al_platform.domain.triage import Verdict
from al_platform.platform.listing import LineageGraph
from api.schemas.base import Out

_SHOWN_PARENTS = 100


class SessionOut(Out):
    """A drive."""

    session_id: str = Field(examples=["drive_7"])
    dataset: str = Field(examples=["synthetic"])
    frames: int


class FrameOut(Out):
    """A camera frame. Brightness is 0-255, sharpness the variance of the Laplacian; null where never measured."""

    frame_id: str = Field(examples=["frm_0a1b2c3d4e5f6a7b8c9d0e1f"])
    dataset: str
    session_id: str
    frame_number: int
    timestamp_s: float | None
    width: int
    height: int
    brightness: float | None
    sharpness: float | None
    image_hash: str
    media_type: str = Field(examples=["image/jpeg"])
    tags: dict[str, str | float] = Field(examples=[{"split": "pool"}])


class UncertaintyOut(Out):
    """What one ensemble thought of a frame: {class: {measure: value}}, the information in nats; when (UTC)."""

    score_id: str
    ensemble_id: str
    scored_at: str
    measures: dict[str, dict[str, float]] = Field(examples=[{"person": {"mi_mean": 0.012}}])


class CountOut(Out):
    """How many frames and sessions match."""

    frames: int
    sessions: int


class TagOut(Out):
    """A tag, how many frames carry it, and its most frequent values."""

    name: str = Field(examples=["split"])
    frames: int
    values: list[str] = Field(examples=[["pool", "test"]])


class DatasetOut(Out):
    """A dataset that was ingested."""

    dataset: str
    frames: int
    sessions: int


class VersionOut(Out):
    """An immutable dataset version; `added` is how many frames its parent lacks."""

    version_id: str = Field(examples=["dsv_0a1b2c3d4e5f6a7b8c9d0e1f"])
    parent_id: str | None
    items: int
    added: int
    purpose: str = Field(examples=["train"])


class ListedVersionOut(VersionOut):
    """A dataset version, which round appended it, and when (UTC)."""

    round_id: str | None
    created_at: str = Field(examples=["2026-11-21 09:00:00.000000"])


class ItemOut(Out):
    """A frame and the label that a version holds for it."""

    item_id: str
    annotation_id: str


class DiffOut(Out):
    """Frames that one version has and the other lacks; `relabelled` ones are in both with different labels."""

    added: list[str]
    removed: list[str]
    relabelled: list[str]


class PoolOut(Out):
    """A frozen pool, and the filter that described it."""

    pool_id: str
    filter: str = Field(examples=["split=pool"])
    frames: int
    created_at: str


class LabelOut(Out):
    """A label that was bought, without its contents."""

    annotation_id: str
    item_id: str
    task_id: str | None
    revision: int
    source: str
    created_at: str


class LabelContentsOut(Out):
    """A label: boxes in pixels of the frame, or a mask by the hash of its PNG and the meaning of its values."""

    frame_id: str
    classes: list[str]
    source: str
    revision: int
    mask_hash: str | None
    mask_values: dict[str, str]
    boxes: list[dict[str, Any]]

    @classmethod
    def of(cls, label: Annotation) -> "LabelContentsOut":
        """Give a label as it is answered."""
        return cls(
            frame_id=label.frame_id,
            classes=list(label.classes),
            source=label.source,
            revision=label.revision,
            mask_hash=label.mask.hash if label.mask else None,
            mask_values=dict(label.mask_values),
            boxes=to_plain(label.boxes),
        )


class TriageOut(Out):
    """A label of a scenario: what becomes of it, and whether what was detected happened."""

    scenario_id: str
    verdict: Verdict
    source: str
    revision: int
    tags: list[str]
    difficulty: int | None = Field(description="1 (easy) to 5; null where nobody said")
    text: str
    events: dict[str, bool] = Field(description="Detected event to whether it was real", examples=[{"collision": True}])


class ParentOut(Out):
    """One step back."""

    relation: str = Field(examples=["trained on"])
    node_id: str


class NodeOut(Out):
    """An id, what it is, and what it came from: at most 100 parents of `parent_count`."""

    node_id: str
    kind: str = Field(examples=["round"])
    summary: str
    parents: list[ParentOut]
    parent_count: int


class LineageOut(Out):
    """The nodes that an id came from, itself first; `complete` is false where there are more than were asked for."""

    nodes: list[NodeOut]
    complete: bool

    @classmethod
    def of(cls, graph: LineageGraph) -> "LineageOut":
        """Give a graph as it is answered."""
        nodes = [
            NodeOut(
                node_id=node.node_id,
                kind=node.kind,
                summary=node.summary,
                parents=[ParentOut.model_validate(parent) for parent in node.parents[:_SHOWN_PARENTS]],
                parent_count=len(node.parents),
            )
            for node in graph.nodes
        ]
        return cls(nodes=nodes, complete=graph.complete)


class HitOut(Out):
    """Something whose id or name holds the text."""

    kind: str = Field(examples=["session"])
    id: str
    summary: str
