"""The vector map of an Argoverse 2 scene."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from al_platform.datasets.scenarios.areas import edges_of
from al_platform.datasets.scenarios.checks import mapping_at, mapping_of, points_of, rows_at, text_of
from sim.kinds import LaneKind, RoadKind
from sim.recording import Float64s, Lane, Road

_KINDS = {"BIKE": LaneKind.BICYCLE, "VEHICLE": LaneKind.STREET, "BUS": LaneKind.STREET}
_POINTS = 20
"""Of a centre line that is made from the borders."""


def map_of(source: Mapping[Any, Any]) -> tuple[tuple[Lane, ...], tuple[Road, ...]]:
    """Give lanes, and lines, road edges and crosswalks.

    Road edges are the outlines of the union of the drivable areas, drivable side left.

    Raises: BrokenRecording where a feature is not what its place says.
    """
    segments = {
        str(key): mapping_of(segment, what=f"lane {key}")
        for key, segment in mapping_at(source, "lane_segments").items()
    }
    lanes = {name: _lane(name, segment) for name, segment in segments.items()}
    areas = [
        _flat(mapping_of(area, what="drivable area"), "area_boundary")
        for area in mapping_at(source, "drivable_areas").values()
    ]
    edges = [Road(RoadKind.ROAD_EDGE, points) for points in edges_of(areas)]
    crossings = [_crosswalk(mapping_of(each, what="crossing")) for each in _crossings(source).values()]
    checked = tuple(_same_way(lane, lanes) for lane in lanes.values())
    return checked, (*edges, *_lines(segments, lanes), *crossings)


def _crossings(source: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return mapping_at(source, "pedestrian_crossings") if "pedestrian_crossings" in source else {}


def _lane(name: str, segment: Mapping[Any, Any]) -> Lane:
    left, right = _flat(segment, "left_lane_boundary"), _flat(segment, "right_lane_boundary")
    centre = _flat(segment, "centerline") if "centerline" in segment else _between(left, right)
    return Lane(
        lane_id=name,
        centre=centre,
        kind=_KINDS.get(str(segment.get("lane_type")), LaneKind.UNKNOWN),
        left=left[:, :2],
        right=right[:, :2],
        entries=_names(segment.get("predecessors")),
        exits=_names(segment.get("successors")),
        left_neighbours=_names([segment.get("left_neighbor_id")]),
        right_neighbours=_names([segment.get("right_neighbor_id")]),
    )


def _same_way(lane: Lane, lanes: Mapping[str, Lane]) -> Lane:
    """The lane without neighbours that lead the other way: one may not change into those."""
    return Lane(
        **{
            **vars(lane),
            "left_neighbours": tuple(name for name in lane.left_neighbours if _along(lane, lanes.get(name))),
            "right_neighbours": tuple(name for name in lane.right_neighbours if _along(lane, lanes.get(name))),
        }
    )


def _along(lane: Lane, other: Lane | None) -> bool:
    if other is None or len(lane.centre) < 2 or len(other.centre) < 2:
        return False
    ways = [line[-1, :2] - line[0, :2] for line in (lane.centre, other.centre)]
    return float(ways[0] @ ways[1]) > 0.0


def _lines(segments: Mapping[str, Mapping[Any, Any]], lanes: Mapping[str, Lane]) -> list[Road]:
    """The painted borders of lanes, once where two lanes share one."""
    found: dict[bytes, Road] = {}
    for name, segment in segments.items():
        for side, border in (("left", lanes[name].left), ("right", lanes[name].right)):
            mark = str(segment.get(f"{side}_lane_mark_type", "NONE"))
            if border is None or mark in ("NONE", "UNKNOWN") or len(border) < 2:
                continue
            first, last = sorted((tuple(border[0].round(2)), tuple(border[-1].round(2))))
            key = np.array([*first, *last]).tobytes()
            kind = RoadKind.SOLID_LINE if "SOLID" in mark else RoadKind.BROKEN_LINE
            found.setdefault(key, Road(kind, np.column_stack([border, np.zeros(len(border))])))
    return list(found.values())


def _crosswalk(crossing: Mapping[Any, Any]) -> Road:
    return Road(RoadKind.CROSSWALK, np.concatenate([_flat(crossing, "edge1"), _flat(crossing, "edge2")[::-1]]))


def _between(left: Float64s, right: Float64s) -> Float64s:
    """The line half way between two borders."""
    if len(left) < 2 or len(right) < 2:
        return np.zeros((0, 3))
    resampled = []
    for line in (left, right):
        along_m = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1))])
        at_m = np.linspace(0.0, along_m[-1], _POINTS)
        resampled.append(np.column_stack([np.interp(at_m, along_m, line[:, axis]) for axis in range(3)]))
    return np.asarray((resampled[0] + resampled[1]) / 2.0)


def _flat(container: Mapping[Any, Any], key: str) -> Float64s:
    points = points_of(rows_at(container, key), what=key)
    points[:, 2] = 0.0
    return points


def _names(values: Any) -> tuple[str, ...]:
    return tuple(text_of(value, what="a lane's id") for value in values or () if value is not None)
