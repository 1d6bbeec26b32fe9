"""Immutable dataset versions: which frames, with which labels, grown from which parent."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetItem:
    """A frame and the annotation that this version holds for it."""

    item_id: str
    annotation_id: str


@dataclass(frozen=True)
class DatasetVersion:
    """An immutable set of labelled frames, named by the hash of its content and of its parent.

    `manifest_hash` names the Parquet file that lists the items; `added` is how many the parent lacks.
    """

    version_id: str
    parent_id: str | None
    manifest_hash: str
    items: int
    added: int
    purpose: str
