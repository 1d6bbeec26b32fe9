"""Signed distance to the edge of the road: positive on it, negative beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray

from sim.preparing.lanes import LaneGraph, LanePoints
from sim.preparing.point_index import Float64s, Ints, PointIndex
from sim.preparing.polylines import without_repeats

_SAMPLE_M = 0.25
_JOINT_M = 0.3
_SHOULDER_M = 0.5
_VOTES = 5
_MAJORITY = 0.8
_VOTE_WITHIN_M = 8.0


@dataclass(frozen=True)
class Edges:
    """Straight segments with the road on their left, each knowing the one before and after it."""

    start: Float64s
    """[S, 2]"""
    end: Float64s
    before: Ints
    """[S] number of the segment that ends where this one starts; -1 for none."""
    after: Ints
    chain: Ints
    """[S] number of the polyline."""
    samples: Ints
    """[Q] segment of each sample in the tree."""
    index: PointIndex


def edges_of(polylines: Sequence[Float64s]) -> Edges:
    """Index polylines [P, 2] that have the road on their left; those that meet end to end become one."""
    chains = _joined([without_repeats(line[:, :2]) for line in polylines])
    start = np.concatenate([chain[:-1] for chain in chains])
    end = np.concatenate([chain[1:] for chain in chains])
    counts = [len(chain) - 1 for chain in chains]
    numbers = np.arange(len(start))
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])
    before, after = numbers - 1, numbers + 1
    for row, count, chain in zip(first, counts, chains, strict=True):
        closed = count > 2 and np.hypot(*(chain[0] - chain[-1])) < _JOINT_M
        before[row] = row + count - 1 if closed else -1
        after[row + count - 1] = row if closed else -1
    length = np.hypot(*(end - start).T)
    repeats = np.maximum(np.ceil(length / _SAMPLE_M).astype(int), 1)
    samples = np.repeat(numbers, repeats)
    share = (np.arange(len(samples)) - np.repeat(np.cumsum(repeats) - repeats, repeats)) / np.repeat(repeats, repeats)
    places = start[samples] + share[:, None] * (end - start)[samples]
    return Edges(start, end, before, after, np.repeat(np.arange(len(chains)), counts), samples, PointIndex(places))


def signed_distances(edges: Edges, points: Float64s) -> Float64s:
    """[Q] metres from points [Q, 2] to the nearest edge, positive on its left.

    At a corner both segments are equally near; there the side of their common normal decides.
    """
    sampled = edges.samples[edges.index.several(points, 2)[1]]
    best: Float64s = np.full(len(points), np.inf)
    side: Float64s = np.zeros(len(points))
    for nearest in sampled.T:
        for rows in (nearest, edges.before[nearest], edges.after[nearest]):
            distance, here = _to_segments(edges, points, rows)
            better = distance < best
            best, side = np.where(better, distance, best), np.where(better, here, side)
    signed: Float64s = np.where(side >= 0, best, -best)
    return signed


def oriented_by_lanes(edges: Edges, lanes: LanePoints | None) -> tuple[Edges, int]:
    """Turn round the polylines that nearly all lane points near them say are the wrong way; gives how many."""
    if lanes is None:
        return edges, 0
    places = lanes.points[::2, :2]
    distance, nearest = edges.index.nearest(places, within=_VOTE_WITHIN_M)
    near = np.isfinite(distance)
    if not near.any():
        return edges, 0
    segments = edges.samples[nearest[near]]
    left = _to_segments(edges, places[near], segments)[1] >= 0
    count = int(edges.chain.max()) + 1
    votes = np.bincount(edges.chain[segments], minlength=count)
    against = np.bincount(edges.chain[segments], weights=~left, minlength=count)
    wrong = (votes >= _VOTES) & (against >= _MAJORITY * votes)
    if not wrong.any():
        return edges, 0
    turned = [chain[::-1] if flip else chain for chain, flip in zip(_chains(edges), wrong, strict=True)]
    return edges_of(turned), int(wrong.sum())


def _chains(edges: Edges) -> list[Float64s]:
    """The polylines that the segments are made of, in their order."""
    rows = np.split(np.arange(len(edges.chain)), np.flatnonzero(np.diff(edges.chain)) + 1)
    return [np.concatenate([edges.start[part], edges.end[part[-1:]]]) for part in rows]


def lane_borders(graph: LaneGraph) -> list[Float64s]:
    """Make edges of the road from its lanes, half a metre beside them, for maps that have none."""
    bands = [
        band(lane.points[:, :2], lane.heading, left=lane.left + _SHOULDER_M, right=lane.right + _SHOULDER_M)
        for lane in graph.lanes
        if lane.drivable
    ]
    if not bands:
        return []
    whole = shapely.union_all(bands)
    parts = [shapely.orient_polygons(part) for part in shapely.get_parts(whole) if part.geom_type == "Polygon"]
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    return [np.asarray(ring.coords) for ring in rings]


def band(centre: Float64s, heading: Float64s, *, left: Float64s, right: Float64s) -> shapely.Geometry:
    """Give the area beside a centre line, also where its inner border turns back in a tight bend."""
    normal = np.stack([-np.sin(heading), np.cos(heading)], axis=1)
    return band_between(centre + left[:, None] * normal, centre - right[:, None] * normal)


def band_between(left: Float64s, right: Float64s) -> shapely.Geometry:
    """Give the area between two borders whose points lie abreast."""
    corners = np.stack([left[:-1], left[1:], right[1:], right[:-1]], axis=1)
    pieces = shapely.convex_hull(shapely.multipoints(corners))
    return shapely.union_all(pieces)


def _to_segments(edges: Edges, points: Float64s, rows: Ints) -> tuple[Float64s, NDArray[np.float64]]:
    """Distance to segments (infinite for number -1) and on which side of them the points lie."""
    start, leg = edges.start[rows], (edges.end - edges.start)[rows]
    offset = points - start
    share = np.clip((offset * leg).sum(1) / np.maximum((leg**2).sum(1), 1e-12), 0.0, 1.0)
    distance = np.hypot(*(offset - share[:, None] * leg).T)
    way = leg / np.maximum(np.hypot(*leg.T), 1e-9)[:, None]
    way = _with_neighbour(edges, way, np.where(share <= 0.0, edges.before[rows], -1))
    way = _with_neighbour(edges, way, np.where(share >= 1.0, edges.after[rows], -1))
    foot = offset - share[:, None] * leg
    side = way[:, 0] * foot[:, 1] - way[:, 1] * foot[:, 0]
    return np.where(rows >= 0, distance, np.inf), side


def _with_neighbour(edges: Edges, way: Float64s, neighbour: Ints) -> Float64s:
    """Add the direction of the neighbouring segment where there is one."""
    leg = edges.end[neighbour] - edges.start[neighbour]
    other = leg / np.maximum(np.hypot(*leg.T), 1e-9)[:, None]
    both: Float64s = np.where(neighbour[:, None] >= 0, way + other, way)
    return both


def _joined(lines: Sequence[Float64s]) -> list[Float64s]:
    """Join polylines where exactly one ends where exactly one other starts."""
    lines = [line for line in lines if len(line) > 1]
    if len(lines) < 2:
        return list(lines)
    starts, ends = np.array([line[0] for line in lines]), np.array([line[-1] for line in lines])
    following = PointIndex(starts).within(ends, _JOINT_M)
    preceding = PointIndex(ends).within(starts, _JOINT_M)
    after = {
        row: found[0]
        for row, found in enumerate(following)
        if len(found) == 1 and found[0] != row and len(preceding[found[0]]) == 1
    }
    chains, used = [], set()
    heads = [row for row in range(len(lines)) if row not in set(after.values())]
    for head in [*heads, *range(len(lines))]:
        row, chain = head, []
        while row is not None and row not in used:
            used.add(row)
            chain.append(row)
            row = after.get(row)
        if chain:
            chains.append(_concatenated([lines[row] for row in chain]))
    return chains


def _concatenated(lines: Sequence[Float64s]) -> Float64s:
    parts = [lines[0], *(second[1:] for _, second in pairwise(lines))]
    return np.concatenate(parts)
