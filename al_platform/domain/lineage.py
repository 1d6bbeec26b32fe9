"""What an id came from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Parent:
    """One step back: how the child depends on it, and its id (a blob's hash where nothing lies behind)."""

    relation: str
    node_id: str


@dataclass(frozen=True)
class LineageNode:
    """An id, what it is in a line, and what it came from."""

    node_id: str
    kind: str
    summary: str
    parents: tuple[Parent, ...]


@dataclass(frozen=True)
class Use:
    """One step on: what an id was used for, and what used it."""

    how: str
    node_id: str
