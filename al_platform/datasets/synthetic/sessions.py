"""Which drives there are: street, light, weather and the share that is kept for tests, all from one seed."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from al_platform.datasets.synthetic.light import CONDITIONS, Condition
from al_platform.datasets.synthetic.streets import LANE_M, STREETS, Street

FRAME_INTERVAL_S = 0.2
STREET_MIX = (
    ("motorway", "country", "residential", "city", "school"),
    ("motorway", "country", "residential", "city", "motorway"),
    ("motorway", "country", "residential", "market", "country"),
    ("motorway", "country", "residential", "city", "residential"),
)
LIGHT_MIX = (
    ("day", "overcast", "dusk", "night", "rain"),
    ("day", "day", "overcast", "night", "dusk"),
    ("day", "overcast", "rain", "night", "day"),
    ("day", "dusk", "night", "rain", "overcast"),
)
"""Each block of twenty drives holds these, so that a short fleet is mixed too; the seed decides the order."""
BUSY = ("city", "school", "market")


@dataclass(frozen=True)
class Drive:
    """One session of the virtual fleet."""

    seed: int
    number: int
    street: Street
    condition: Condition
    pace: float
    """Share of the street's speed."""
    horizon_share: float
    """Row of the horizon as a share of the picture's height: how the camera is mounted."""
    exposure: float

    @property
    def lane_d(self) -> float:
        """Where the car drives, metres to the left of the middle line."""
        return -LANE_M / 2 if self.street.lanes_right == 1 else -1.5 * LANE_M

    def travelled(self, time_s: float) -> float:
        """Give the metres driven since the start; the pace swings a little."""
        speed = self.street.speed * self.pace
        return speed * (time_s + 0.9 * float(np.sin(0.35 * time_s + self.number)))

    def curvature(self, s: float) -> float:
        """Give the curvature of the road ahead, in 1/m, left positive."""
        return self.street.sharpest_curve * float(np.sin(s / 130.0 + 1.7 * self.number))


def plan_drive(seed: int, number: int) -> Drive:
    """Give the drive of that number; the same for every length of the fleet."""
    random = _random(seed, number)
    return Drive(
        seed=seed,
        number=number,
        street=STREETS[_mixed(STREET_MIX, seed, number, salt=1)],
        condition=CONDITIONS[_mixed(LIGHT_MIX, seed, number, salt=2)],
        pace=random.uniform(0.8, 1.1),
        horizon_share=random.uniform(0.41, 0.47),
        exposure=random.uniform(0.88, 1.1),
    )


def choose_test_drives(seed: int, sessions: int, *, share: float) -> frozenset[int]:
    """Choose round(share x sessions) drives for tests, spread over busy and quiet streets."""
    random = _random(seed, sessions, 3)
    busy = [_mixed(STREET_MIX, seed, number, salt=1) in BUSY for number in range(sessions)]
    order = sorted(range(sessions), key=lambda number: (busy[number], random.random()))
    wanted = round(share * sessions)
    if not wanted:
        return frozenset()
    offset = random.random()
    return frozenset(order[int((index + offset) * sessions / wanted)] for index in range(wanted))


def _mixed(mix: tuple[tuple[str, ...], ...], seed: int, number: int, *, salt: int) -> str:
    """Give the entry of a drive: parts of a block, and entries of a part, are shuffled by the seed."""
    block, place = divmod(number, len(mix) * len(mix[0]))
    part, entry = divmod(place, len(mix[0]))
    chosen = int(_random(seed, block, 10 + salt).permutation(len(mix))[part])
    return mix[chosen][int(_random(seed, block, 20 + salt, chosen).permutation(len(mix[0]))[entry])]


def _random(*key: int) -> Any:
    return np.random.default_rng(key)
