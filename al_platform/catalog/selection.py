"""Selection from score shards: only the head of each ranking is read, and more of it only where it is needed.

Axes: N rows of a pool, K classes, L labelled frames, D embedding dimensions. A class is given the rows above a
threshold; what is picked from them is final, because every other row ranks below. A class that runs out of them is
given the next rows below, without those of sessions and groups that are full by then.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from acquisition import CONTROL, Limits
from acquisition.control import control_order, draw_keys
from acquisition.turns import Page, Turns
from al_platform.catalog.shards import ClassShards
from al_platform.errors import InvalidInput

_SLACK_ROWS = 4096
_KEPT_ROWS = 4_000_000
"""Rows of a class that are held at most, 100 MB; the rest is read again when it is needed."""


@dataclass(frozen=True)
class FleetPool:
    """What is known of the rows of a pool besides their scores."""

    allowed: NDArray[np.bool_] | None = None
    """bool [N]: may be picked; None: every row may."""
    groups: NDArray[np.integer] | None = None
    """int [N]: the group that a quota counts, NO_GROUP for none."""
    embeddings: NDArray[np.floating] | None = None
    """[N, D]; only rows that are looked at are read, so a memory map will do."""
    apart_from: NDArray[np.floating] | None = None
    """[L, D]: labelled frames to keep the minimum distance from."""
    suited: NDArray[np.bool_] | None = None
    """bool [N, K]: for which classes a row may be picked; None: for every one. Control takes no heed of it."""

    def open_for(self, klass: int) -> NDArray[np.bool_] | None:
        """Give which rows may be picked for a class, bool [N]; None: every row may."""
        if self.suited is None:
            return self.allowed
        of_class = self.suited[:, klass]
        return of_class if self.allowed is None else self.allowed & of_class


@dataclass(frozen=True)
class FleetPicks:
    """Rows in the order of picking, the class of each (CONTROL for control), its score (0 for control)."""

    rows: NDArray[np.int64]
    classes: NDArray[np.int64]
    scores: NDArray[np.float64]
    scans: int
    """How often shards were read."""
    rows_read: int
    """Rows that came back from them."""


def select_rows(
    shards: Sequence[ClassShards],
    budget: int,
    *,
    limits: Limits,
    pool: FleetPool | None = None,
    seed: int = 0,
    threads: int = 2,
) -> FleetPicks:
    """Give the picks of `acquisition.round_robin` over all rows of the shards, class n being the n-th of `shards`.

    Fewer than the budget exactly where pool and limits allow no more.

    Raises: InvalidInput for a budget below 1, a pool of which nothing is allowed or that is shorter than the shards'
        rows, or a limit without what it needs; NonFiniteScore for a score that is read and is not finite.
    """
    pool = pool or FleetPool()
    _require_possible(budget, limits, pool)
    with duckdb.connect(config={"threads": threads}) as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET enable_progress_bar = false")
        vectors = None if pool.embeddings is None else pool.embeddings.__getitem__
        turns = Turns(len(shards), limits=limits, vectors=vectors)
        if pool.apart_from is not None:
            turns.avoid(pool.apart_from)
        wanted = 2 * -(-budget // len(shards)) + _SLACK_ROWS
        readers = [
            _Reader(connection, each, turns, limits, replace(pool, allowed=pool.open_for(klass)))
            for klass, each in enumerate(shards)
        ]
        pages = {klass: reader.pages(wanted) for klass, reader in enumerate(readers)}
        if limits.control_share:
            pages[CONTROL] = _control_pages(partial(shards[0].places, connection), pool, budget, limits, seed=seed)
        while (short := turns.run(budget)) is not None:
            turns.add_page(short, next(pages[short], None))
    return FleetPicks(
        np.array(turns.rows, np.int64),
        np.array(turns.classes, np.int64),
        np.array(turns.scores, np.float64),
        scans=sum(reader.scans for reader in readers),
        rows_read=sum(reader.rows_read for reader in readers),
    )


class _Reader:
    """The ranking of one class, page by page. What was read and not yet given out waits in memory."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        shards: ClassShards,
        turns: Turns,
        limits: Limits,
        pool: FleetPool,
    ) -> None:
        self.scans, self.rows_read = 0, 0
        self._connection, self._shards, self._turns, self._pool = connection, shards, turns, pool
        self._limits = limits
        self._share = 1.0 if pool.allowed is None else max(float(pool.allowed.mean()), 1e-9)
        self._cap = limits.session_cap if limits == Limits(session_cap=limits.session_cap) else None
        self._after: tuple[float, int] | None = None
        self._ended = False

    def pages(self, wanted: int) -> Iterator[Page]:
        """Pages of `wanted` rows, each next one larger."""
        while not self._ended:
            waiting = self._scan(wanted)
            while waiting.rows.size:
                head, waiting = _split(waiting, wanted)
                yield head
                waiting = waiting.only(self._turns.open_in(waiting))
                wanted = min(4 * wanted, max(1, _KEPT_ROWS // 4))

    def _scan(self, wanted: int) -> Page:
        """Read on below what was read; ends the ranking where nothing lies below."""
        threshold = self._shards.threshold(self.rows_read + int(wanted / self._share))
        if self._after is not None and threshold is not None and threshold >= self._after[0]:
            threshold = self._shards.threshold(2 * self.rows_read + int(4 * wanted / self._share))
        if self._after is not None and threshold is not None and threshold >= self._after[0]:
            threshold = None  # so many rows share a score that no threshold parts them
        self.scans += 1
        parts: list[Page] = []
        cut: tuple[float, int] | None = None
        held = 0
        for batch in self._shards.scan(self._connection, at_least=threshold, after=self._after):
            self.rows_read += batch.num_rows
            parts.append(self._open(batch))
            held += parts[-1].rows.size
            if held > 2 * _KEPT_ROWS:
                kept, cut = _best(self._pruned(_joined(parts)), _KEPT_ROWS, cut)
                parts, held = [kept], kept.rows.size
        found = _joined(parts)
        if cut is not None:
            found = found.only(_ranks_to(found, cut))
        self._after = cut or (None if threshold is None else (threshold, np.iinfo(np.int64).max))
        self._ended = self._after is None
        return found

    def _open(self, batch: pa.RecordBatch) -> Page:
        page = _page(batch, self._pool, self._limits)
        if self._pool.allowed is not None:
            page = page.only(_at(self._pool.allowed, page.rows))
        return page.only(self._turns.open_in(page))

    def _pruned(self, page: Page) -> Page:
        """No more rows of a session than its cap: they suffice where nothing but the cap and picks close a row."""
        if self._cap is None:
            return page
        order = np.lexsort((page.rows, -page.scores, page.sessions))
        sessions = page.sessions[order]
        place = np.arange(order.size) - np.searchsorted(sessions, sessions)
        return page.only(order[place < self._cap])


def _control_pages(places: Any, pool: FleetPool, budget: int, limits: Limits, *, seed: int) -> Iterator[Page]:
    """The order of `control_order` over all allowed rows, as many turns of the sessions at a time as are needed."""
    counts_S: NDArray[np.int64] = np.zeros(1, np.int64)
    for page in _allowed_places(places, pool, limits):
        found = np.bincount(page.sessions, minlength=counts_S.size)
        found[: counts_S.size] += counts_S
        counts_S = found
    wanted = int(2 * budget * limits.control_share) + 64
    given = 0
    while given < counts_S.max():
        turns = max(1, given + 1, _turns_for(counts_S, wanted))
        share_S = np.minimum(1.0, (turns + 6.0 * np.sqrt(turns) + 12.0) / np.maximum(counts_S, 1))
        parts = [
            page.only(draw_keys(page.rows, seed=seed, stream="row") / 2.0**64 <= share_S[page.sessions])
            for page in _allowed_places(places, pool, limits)
        ]
        drawn = _joined(parts)
        drawn = drawn.only(control_order(drawn.rows, drawn.sessions, seed=seed))
        found_S = np.bincount(drawn.sessions, minlength=counts_S.size)
        whole = int(np.where(found_S < counts_S, found_S, counts_S.max()).min())
        turn = _turn_of(drawn.sessions)
        yield drawn.only((turn >= given) & (turn < whole))
        given, wanted = max(given, whole), 4 * wanted


def _turns_for(counts_S: NDArray[np.int64], wanted: int) -> int:
    """The fewest turns over sessions of these sizes that give so many rows."""
    sizes = np.sort(counts_S)
    before = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    given = before + sizes * (sizes.size - np.arange(sizes.size))  # rows after as many turns as this session is long
    place = int(np.searchsorted(given, wanted))
    if place == sizes.size:
        return int(sizes[-1])
    return int(-(-(wanted - before[place]) // (sizes.size - place)))


def _turn_of(sessions: NDArray[Any]) -> NDArray[np.int64]:
    """How many of the same session come before each."""
    order = np.argsort(sessions, kind="stable")
    ordered = sessions[order]
    turn = np.empty(sessions.size, np.int64)
    turn[order] = np.arange(sessions.size) - np.searchsorted(ordered, ordered)
    return turn


def _allowed_places(places: Any, pool: FleetPool, limits: Limits) -> Iterator[Page]:
    for batch in places():
        page = _page(batch, pool, limits)
        yield page if pool.allowed is None else page.only(_at(pool.allowed, page.rows))


def _page(batch: pa.RecordBatch, pool: FleetPool, limits: Limits) -> Page:
    rows = batch.column("row").to_numpy()
    clocks_s = batch.column("timestamp_s").to_numpy(zero_copy_only=False) if limits.minimum_gap_s else None
    has_score = "score" in batch.schema.names
    return Page(
        rows,
        batch.column("score").to_numpy() if has_score else np.zeros(rows.size, np.float32),
        batch.column("session").to_numpy(),
        clocks_s,
        _at(pool.groups, rows) if pool.groups is not None and limits.group_quota is not None else None,
    )


def _at(values: NDArray[Any], rows: NDArray[np.int64]) -> NDArray[Any]:
    if rows.size and (int(rows.max()) >= len(values) or int(rows.min()) < 0):
        raise InvalidInput(
            f"row {int(rows.max())} of a score shard: the pool has {len(values)}; they do not belong together"
        )
    found: NDArray[Any] = values[rows]
    return found


def _split(page: Page, count: int) -> tuple[Page, Page]:
    """The best rows in order, equal scores together, and the rest in any order."""
    if page.rows.size > count:
        cut = np.partition(page.scores, page.rows.size - count)[page.rows.size - count]
        head, rest = page.only(page.scores >= cut), page.only(page.scores < cut)
    else:
        head, rest = page, page.only(slice(0, 0))
    return head.only(np.lexsort((head.rows, -head.scores))), rest


def _best(page: Page, count: int, cut: tuple[float, int] | None) -> tuple[Page, tuple[float, int] | None]:
    """The best rows, and the last of them: what ranks behind it has to be read again."""
    if cut is not None:
        page = page.only(_ranks_to(page, cut))
    if page.rows.size <= count:
        return page, cut
    kept = page.only(np.lexsort((page.rows, -page.scores))[:count])
    return kept, (float(kept.scores[-1]), int(kept.rows[-1]))


def _ranks_to(page: Page, cut: tuple[float, int]) -> NDArray[np.bool_]:
    ranked: NDArray[np.bool_] = (page.scores > cut[0]) | ((page.scores == cut[0]) & (page.rows <= cut[1]))
    return ranked


def _joined(parts: Sequence[Page]) -> Page:
    if not parts:
        return Page(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.int32))
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("rows", "scores", "sessions", "timestamps_s", "groups")
        if getattr(parts[0], name) is not None
    }
    return replace(parts[0], **columns)


def _require_possible(budget: int, limits: Limits, pool: FleetPool) -> None:
    if budget < 1:
        raise InvalidInput(f"budget {budget}: must be at least 1")
    if pool.allowed is not None and not pool.allowed.any():
        raise InvalidInput("pool: every row is labelled, queued or left out by the filter; ingest more or filter less")
    if limits.group_quota is not None and pool.groups is None:
        raise InvalidInput(f"group_quota {limits.group_quota}: needs the group of every row")
    if limits.minimum_distance and pool.embeddings is None:
        raise InvalidInput(f"minimum_distance {limits.minimum_distance}: needs embeddings")
