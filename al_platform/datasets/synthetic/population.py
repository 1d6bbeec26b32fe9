"""Which things are in view at one instant of a drive.

Each stream lives in stretches of the road that move with its speed; what is in a stretch depends only on the
drive, the stream and the number of the stretch. So every frame can be had without those before it.
"""

import math
from functools import lru_cache

import numpy as np

from al_platform.datasets.synthetic.camera import View
from al_platform.datasets.synthetic.sessions import Drive, plan_drive
from al_platform.datasets.synthetic.streets import Stream
from al_platform.datasets.synthetic.things import LOOKS, Thing

STRETCH_M = 40.0
IN_VIEW_M = 85.0
CLOSEST_M = {"car": 4.2, "parked_car": 4.2, "tree": 3.0, "lamp": 3.0}
FOLLOWING_GAP_M = 9.0
"""Free road in front of the recording car."""
SMALLEST_GAP_M = {"car": 6.8, "parked_car": 6.2}
SWERVE = 0.35
"""A bicycle points this many radians to either side of where it goes."""


def things_in_view(drive: Drive, view: View, *, time_s: float) -> list[Thing]:
    """List everything up to 85 m ahead, the farthest first."""
    found = [
        thing
        for number, stream in enumerate(drive.street.streams)
        for thing in _of_stream(drive, number, stream, view=view, time_s=time_s)
    ]
    return sorted(found, key=lambda thing: -thing.s)


def _of_stream(drive: Drive, number: int, stream: Stream, *, view: View, time_s: float) -> list[Thing]:
    moved = stream.speed * time_s + (view.s if stream.follows else 0.0)
    closest = CLOSEST_M.get(stream.kind, 1.8)
    if stream.follows and any(abs(side - drive.lane_d) < 1.0 for side in stream.side):
        closest = FOLLOWING_GAP_M
    first = math.floor((view.s + closest - moved) / STRETCH_M)
    last = math.floor((view.s + IN_VIEW_M - moved) / STRETCH_M)
    return [
        _now(thing, stream, s=thing.s + moved, time_s=time_s)
        for stretch in range(first, last + 1)
        for thing in _in_stretch(drive.seed, drive.number, number, stretch)
        if closest <= thing.s + moved - view.s <= IN_VIEW_M
    ]


def _now(thing: Thing, stream: Stream, *, s: float, time_s: float) -> Thing:
    walked = abs(stream.crossing or stream.speed) * time_s
    phase = thing.phase + (5.2 if stream.kind == "person" else 3.0) * walked
    if not stream.crossing:
        return Thing(thing.kind, s, thing.d, thing.heading, thing.look, phase)
    width = 2.0 * stream.spread
    way = (thing.d + stream.spread + walked) % (2.0 * width)
    towards_left = way < width
    d = (way if towards_left else 2.0 * width - way) - stream.spread
    return Thing(thing.kind, s, d, thing.heading if towards_left else -thing.heading, thing.look, phase)


@lru_cache(maxsize=8192)
def _in_stretch(seed: int, drive_number: int, stream_number: int, stretch: int) -> tuple[Thing, ...]:
    """Give the things of one stretch where they are at time 0. Pure: the cache only saves time."""
    stream = plan_drive_once(seed, drive_number).street.streams[stream_number]
    random = np.random.default_rng([seed, drive_number, stream_number, stretch + 1_000_000])
    start = stretch * STRETCH_M
    if stream.every_m:
        first = math.ceil(start / stream.every_m)
        last = math.ceil((start + STRETCH_M) / stream.every_m)
        places = [(index * stream.every_m, side) for index in range(first, last) for side in stream.side]
    else:
        groups = random.uniform(start, start + STRETCH_M, random.poisson(stream.per_100m * STRETCH_M / 100.0))
        places = [
            (
                float(s + random.normal(0.0, 1.1) * (member > 0)),
                stream.side[int(random.random() * len(stream.side))],
            )
            for s in groups
            for member in range(1 + random.poisson(stream.group - 1.0))
        ]
    things = []
    for s, side in _spaced(places, SMALLEST_GAP_M.get(stream.kind, 0.0), end=start + STRETCH_M):
        heading = random.uniform(-math.pi, math.pi) if stream.heading is None else stream.heading
        heading += random.uniform(-SWERVE, SWERVE) if stream.kind == "bicycle" else 0.0
        d = side + random.uniform(-stream.spread, stream.spread)
        look = tuple(random.random(LOOKS).tolist())
        things.append(Thing(stream.kind, s, d, heading, look, random.uniform(0.0, 2.0 * math.pi)))
    return tuple(things)


def _spaced(places: list[tuple[float, float]], gap: float, *, end: float) -> list[tuple[float, float]]:
    """Leave out what would stand within the one before it on its side, or reach into the next stretch."""
    kept: list[tuple[float, float]] = []
    for s, side in sorted(places):
        crowded = any(side == other and s - before < gap for before, other in kept)
        if not crowded and (not gap or s + 0.5 * gap < end):
            kept.append((s, side))
    return kept


@lru_cache(maxsize=256)
def plan_drive_once(seed: int, number: int) -> Drive:
    """Give `plan_drive`, remembered. Pure: the cache only saves time."""
    return plan_drive(seed, number)
