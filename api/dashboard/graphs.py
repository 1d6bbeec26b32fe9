"""A lineage drawn in layers: an id on the left, what it came from to the right of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from al_platform.domain.lineage import LineageNode

BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, EDGE = 168, 44, 44, 14, 2
ARCH = 34
"""How high an arrow rises that leads past other boxes."""
LEAVES = ("label", "frame", "blob", "task")
"""Kinds of which there are thousands; the graph leaves them out and the table counts them."""


@dataclass(frozen=True)
class Box:
    """A node in the picture, in its pixels."""

    node: LineageNode
    x: int
    y: int


@dataclass(frozen=True)
class Arrow:
    """A line from a child to a parent, as path data, and what it says."""

    path: str
    relation: str


@dataclass(frozen=True)
class DrawnGraph:
    """Boxes and arrows, the size of the picture, and how many leaves of each kind were left out."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: int
    height: int
    left_out: tuple[tuple[str, int], ...]


def drawn_graph(nodes: Sequence[LineageNode]) -> DrawnGraph:
    """Give the picture of a lineage whose first node is the one that was asked for."""
    shown = [node for index, node in enumerate(nodes) if index == 0 or node.kind not in LEAVES]
    layers = _layers(shown)
    columns: dict[int, list[LineageNode]] = {}
    for node in shown:
        columns.setdefault(layers[node.node_id], []).append(node)
    boxes = {
        node.node_id: Box(node, EDGE + column * (BOX_WIDTH + GAP_X), ARCH + row * (BOX_HEIGHT + GAP_Y))
        for column, members in columns.items()
        for row, node in enumerate(members)
    }
    arrows = tuple(
        Arrow(_path(boxes[node.node_id], boxes[parent.node_id]), parent.relation)
        for node in shown
        for parent in node.parents
        if parent.node_id in boxes
    )
    return DrawnGraph(
        tuple(boxes.values()),
        arrows,
        width=2 * EDGE + len(columns) * (BOX_WIDTH + GAP_X) - GAP_X,
        height=EDGE + ARCH + max(map(len, columns.values())) * (BOX_HEIGHT + GAP_Y) - GAP_Y,
        left_out=_left_out(nodes),
    )


def _layers(nodes: Sequence[LineageNode]) -> dict[str, int]:
    """Longest way from the first node: each lies right of all that came from it. Lineage has no cycle."""
    layers = dict.fromkeys((node.node_id for node in nodes), 0)
    for _ in nodes:
        before = dict(layers)
        for node in nodes:
            for parent in node.parents:
                if parent.node_id in layers:
                    layers[parent.node_id] = max(layers[parent.node_id], layers[node.node_id] + 1)
        if layers == before:
            break
    used = {layer: number for number, layer in enumerate(sorted(set(layers.values())))}
    return {node_id: used[layer] for node_id, layer in layers.items()}


def _path(child: Box, parent: Box) -> str:
    start_x, start_y = child.x + BOX_WIDTH, child.y + BOX_HEIGHT // 2
    end_x, end_y = parent.x, parent.y + BOX_HEIGHT // 2
    middle = (start_x + end_x) // 2
    if end_x - start_x > GAP_X and start_y == end_y:
        over_y = child.y - ARCH
        return f"M{start_x} {start_y}C{start_x + GAP_X} {over_y} {end_x - GAP_X} {over_y} {end_x} {end_y}"
    return f"M{start_x} {start_y}C{middle} {start_y} {middle} {end_y} {end_x} {end_y}"


def _left_out(nodes: Sequence[LineageNode]) -> tuple[tuple[str, int], ...]:
    kinds = [node.kind for node in nodes[1:] if node.kind in LEAVES]
    return tuple((kind, kinds.count(kind)) for kind in dict.fromkeys(kinds))
