"""Turns over classes whose ranked items arrive page by page: the greedy behind every round-robin selection.

Axes: N items of a page, D embedding dimensions. What is picked stays picked and what closes stays closed, so
a class may be given its next page when it has come to the end of the last one, and nothing is done twice.
"""

from bisect import bisect_left, insort
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan

import numpy as np
from jaxtyping import Bool, Float, Int64, Integer
from numpy.typing import NDArray

from acquisition.control import exact_share, is_control
from acquisition.limits import NO_GROUP, Limits, require_budget
from acquisition.spacing import Apart, Vectors

CONTROL = -1
"""The class of a control pick: drawn, whatever the scores say."""

_BLOCK = 4096  # Items whose limits are looked at together before each is looked at alone.


@dataclass(frozen=True)
class Page:
    """Items of one class from best to worst: equal scores by rising row."""

    rows: Int64[NDArray[np.int64], " N"]
    scores: Float[NDArray[np.floating], " N"]
    sessions: Integer[NDArray[np.integer], " N"]
    """Dense codes from 0."""
    timestamps_s: Float[NDArray[np.floating], " N"] | None = None
    """NaN without a clock; None where no gap is kept."""
    groups: Integer[NDArray[np.integer], " N"] | None = None
    """NO_GROUP or a code from 0; None where no quota is kept."""

    def only(self, kept: NDArray[np.bool_] | NDArray[np.integer] | slice) -> "Page":
        """Give the page of these items alone."""
        return Page(
            self.rows[kept],
            self.scores[kept],
            self.sessions[kept],
            None if self.timestamps_s is None else self.timestamps_s[kept],
            None if self.groups is None else self.groups[kept],
        )


class Turns:
    """Turn t goes to class t mod K and takes the first item of its ranking that is still open.

    An item is closed by being picked for any class and by the limits. A class at its end leaves the rotation.
    With a control share, pick r is control where floor((r + 1) share) > floor(r share); a control pick uses up
    no turn and takes the first open item of the ranking of class CONTROL, until that is at its end.
    """

    def __init__(self, classes: int, *, limits: Limits, vectors: Vectors | None = None) -> None:
        if classes < 1:
            raise ValueError(f"{classes} classes: no class to pick for")
        if limits.minimum_distance and vectors is None:
            raise ValueError(f"minimum_distance {limits.minimum_distance}: needs embeddings")
        names = [*range(classes), *([CONTROL] if limits.control_share else [])]
        self.rows: list[int] = []
        self.classes: list[int] = []
        self.scores: list[float] = []
        self._limits = limits
        self._apart = Apart(limits.minimum_distance, vectors) if vectors and limits.minimum_distance else None
        self._picked: set[int] = set()
        self._in_session: defaultdict[int, int] = defaultdict(int)
        self._in_group: defaultdict[int, int] = defaultdict(int)
        self._clocks_s: defaultdict[int, list[float]] = defaultdict(list)
        self._full_sessions: NDArray[np.bool_] = np.zeros(1, np.bool_)
        self._full_groups: NDArray[np.bool_] = np.zeros(1, np.bool_)
        self._pages: dict[int, deque[Page]] = {name: deque() for name in names}
        self._ended: set[int] = set()
        self._queues = {name: self._open_items(name) for name in names}
        self._rotation = deque(range(classes))
        self._share = exact_share(limits.control_share)

    def add_page(self, klass: int, page: Page | None) -> None:
        """Give a class its next page, all of it ranked after the one before; None: there is no more."""
        if page is None:
            self._ended.add(klass)
        else:
            self._pages[klass].append(page)

    def run(self, budget: int) -> int | None:
        """Pick until the budget is reached or nothing is open: None. Or until a class needs a page: that class.

        Raises:
            ValueError: budget below 1.
        """
        require_budget(budget)
        while self._rotation and len(self.rows) < budget:
            klass = self._whose_turn()
            found = next(self._queues[klass], None)
            if found is None and klass in self._ended:
                self._retire(klass)
            elif found is None:
                self._queues[klass] = self._open_items(klass)
                return klass
            else:
                self._pick(klass, found)
                if klass != CONTROL:
                    self._rotation.rotate(-1)
        return None

    def avoid(self, vectors_LD: Float[NDArray[np.floating], "L D"]) -> None:
        """Keep the minimum distance from these too, labelled items for example."""
        if self._apart is not None:
            self._apart.avoid(vectors_LD)

    def open_in(self, page: Page) -> Bool[NDArray[np.bool_], " N"]:
        """Mark the items that sessions and groups leave open; picks and gaps are looked at later, one by one."""
        open_N = np.ones(page.rows.size, np.bool_)
        if self._limits.session_cap is not None:
            self._full_sessions = _long_enough(self._full_sessions, page.sessions)
            open_N &= ~self._full_sessions[page.sessions]
        if self._limits.group_quota is not None and page.groups is not None:
            self._full_groups = _long_enough(self._full_groups, page.groups)
            open_N &= (page.groups < 0) | ~self._full_groups[page.groups]
        return open_N

    def _whose_turn(self) -> int:
        drawn = CONTROL in self._queues and is_control(len(self.rows), self._share)
        return CONTROL if drawn else self._rotation[0]

    def _retire(self, klass: int) -> None:
        del self._queues[klass]
        if klass != CONTROL:
            self._rotation.popleft()

    def _pick(self, klass: int, item: tuple[int, float, int, float, int]) -> None:
        row, score, session, clock_s, group = item
        self.rows.append(row)
        self.classes.append(klass)
        self.scores.append(score)
        self._picked.add(row)
        limits = self._limits
        if limits.session_cap is not None:
            self._in_session[session] += 1
            if self._in_session[session] == limits.session_cap:
                self._full_sessions[session] = True
        if limits.group_quota is not None and group >= 0:
            self._in_group[group] += 1
            if self._in_group[group] == limits.group_quota:
                self._full_groups[group] = True
        if limits.minimum_gap_s and not isnan(clock_s):
            insort(self._clocks_s[session], clock_s)
        if self._apart is not None:
            self._apart.pick(row)

    def _open_items(self, klass: int) -> Iterator[tuple[int, float, int, float, int]]:
        """Items of the class's pages from best to worst, each given only if it is open when it is asked for."""
        picked, in_session, in_group = self._picked, self._in_session, self._in_group
        cap, quota, gap_s = self._limits.session_cap, self._limits.group_quota, self._limits.minimum_gap_s
        apart = self._apart
        for block in self._blocks(klass):
            for item in zip(*_columns(block), strict=True):
                row, _, session, clock_s, group = item
                if row in picked or (cap is not None and in_session[session] >= cap):
                    continue
                if quota is not None and group >= 0 and in_group[group] >= quota:
                    continue
                if gap_s and not isnan(clock_s) and self._too_soon(session, clock_s):
                    continue
                if apart is not None and apart.too_near(row):
                    continue
                yield item

    def _blocks(self, klass: int) -> Iterator[Page]:
        pages = self._pages[klass]
        while pages:
            page, start = pages.popleft(), 0
            while start < page.rows.size:
                block = page.only(slice(start, start + _BLOCK))
                open_block = block.only(self.open_in(block))
                if self._apart is not None:
                    self._apart.look_at(open_block.rows)
                yield open_block
                start += _BLOCK

    def _too_soon(self, session: int, clock_s: float) -> bool:
        """Only the nearest pick on either side can be nearer than the gap."""
        clocks_s = self._clocks_s[session]
        place = bisect_left(clocks_s, clock_s)
        near = clocks_s[max(0, place - 1) : place + 1]
        return any(abs(other - clock_s) < self._limits.minimum_gap_s for other in near)


def _columns(page: Page) -> tuple[list[int], list[float], list[int], list[float], list[int]]:
    count = page.rows.size
    clocks_s = [float("nan")] * count if page.timestamps_s is None else page.timestamps_s.tolist()
    groups = [NO_GROUP] * count if page.groups is None else page.groups.tolist()
    return page.rows.tolist(), page.scores.tolist(), page.sessions.tolist(), clocks_s, groups


def _long_enough(full: NDArray[np.bool_], codes: NDArray[np.integer]) -> NDArray[np.bool_]:
    largest = int(codes.max(initial=0))
    return full if largest < full.size else np.concatenate([full, np.zeros(2 * largest + 2 - full.size, np.bool_)])
