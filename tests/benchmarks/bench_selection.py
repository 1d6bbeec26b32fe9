"""How fast a budget is picked from a fleet's score shards, beside the usual ways of doing it.

Run it as `python tests/benchmarks/bench_selection.py [--rows 100000000]`. The shards are made on the fly in a folder
that is deleted at the end: 0.1 GB for 2 million frames, 11 GB for 100 million. Every way runs in a process of its own,
which gives its peak memory; the shards lie in the page cache as far as they fit. All must give one pick list.
"""

import argparse
import datetime
import hashlib
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from acquisition import Limits
from acquisition.turns import Page, Turns
from al_platform.catalog.selection import FleetPool, select_rows
from al_platform.catalog.shards import find_shards
from tests.benchmarks.shard_pattern import make_shard

Way = Callable[[Path, int, int, int], list[int]]


def ours(folder: Path, rows: int, classes: int, budget: int, *, score: str = "mi", **limits: float) -> list[int]:
    """The selection of the catalog."""
    pool = None
    if "filter_share" in limits:
        limits.pop("filter_share")
        pool = FleetPool(allowed=allowed_rows(rows))
    shards = find_shards(folder, classes=range(classes), score=score)
    picks = select_rows(shards, budget, limits=Limits(**limits), pool=pool)
    NOTES.update(scans=picks.scans, rows_read=picks.rows_read)
    return picks.rows.tolist()


NOTES: dict[str, int] = {}


def allowed_rows(rows: int) -> np.ndarray:
    """The 30 % of rows that a filter leaves."""
    return np.random.default_rng(7).random(rows, np.float32) < 0.3


def picked_from(pages: list[Page], budget: int, limits: Limits) -> list[int]:
    """The same greedy over complete rankings, which the rivals leave to it."""
    turns = Turns(len(pages), limits=limits)
    for klass, page in enumerate(pages):
        turns.add_page(klass, page)
        turns.add_page(klass, None)
    turns.run(budget)
    return turns.rows


@contextmanager
def connected() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection on two threads that shows no progress."""
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("SET enable_progress_bar = false")
        yield connection


def files_of(folder: Path, klass: int) -> list[str]:
    """The shards of a class."""
    return [str(path) for path in sorted(folder.glob(f"*-{klass:03d}.parquet"))]


def page_of(found: dict[str, np.ndarray]) -> Page:
    """A ranking that a query gave."""
    clocks_s = np.ma.filled(found["timestamp_s"], np.nan)
    return Page(found["row"], found["score"], found["session"], clocks_s)


def sql(query: str) -> Way:
    """A query that ranks one class, its best `budget` rows first."""

    def way(folder: Path, rows: int, classes: int, budget: int) -> list[int]:
        with connected() as connection:
            pages = [
                page_of(connection.execute(query, [files_of(folder, klass), budget]).fetchnumpy())
                for klass in range(classes)
            ]
        return picked_from(pages, budget, Limits())

    return way


def numpy_partition(folder: Path, rows: int, classes: int, budget: int) -> list[int]:
    """Every score loaded, cut by partition, sorted."""
    pages = []
    with connected() as connection:
        for klass in range(classes):
            found = connection.execute(
                "SELECT row, session, timestamp_s, mi_mean AS score FROM read_parquet(?)", [files_of(folder, klass)]
            ).fetchnumpy()
            cut = np.partition(found["score"], max(0, rows - budget))[max(0, rows - budget)]
            best = {name: values[found["score"] >= cut] for name, values in found.items()}
            order = np.lexsort((best["row"], -best["score"]))
            pages.append(page_of({name: values[order] for name, values in best.items()}))
    return picked_from(pages, budget, Limits())


def polars_top(folder: Path, rows: int, classes: int, budget: int) -> list[int]:
    """polars, lazily: sort and head of a scan."""
    import polars  # noqa: PLC0415  not a dependency: its line is left out where it is not installed

    pages = []
    for klass in range(classes):
        frame = polars.scan_parquet(files_of(folder, klass)).select("row", "session", "timestamp_s", "mi_mean")
        best = frame.sort(["mi_mean", "row"], descending=[True, False]).head(budget).collect(engine="streaming")
        columns = best.rename({"mi_mean": "score"})
        pages.append(page_of({name: columns[name].to_numpy() for name in columns.columns}))
    return picked_from(pages, budget, Limits())


def pandas_sort(folder: Path, rows: int, classes: int, budget: int) -> list[int]:
    """pandas: everything loaded and sorted."""
    import pandas  # noqa: PLC0415  not a dependency: its line is left out where it is not installed

    pages = []
    for klass in range(classes):
        columns = ["row", "session", "timestamp_s", "mi_mean"]
        frame = pandas.concat([pandas.read_parquet(path, columns=columns) for path in files_of(folder, klass)])
        best = frame.sort_values(["mi_mean", "row"], ascending=[False, True]).head(budget)
        pages.append(page_of({("score" if name == "mi_mean" else name): best[name].to_numpy() for name in columns}))
    return picked_from(pages, budget, Limits())


def semi_join(folder: Path, rows: int, classes: int, budget: int) -> list[int]:
    """The filter as a join of the scan with the rows that it leaves."""
    pages = []
    with connected() as connection:
        connection.register("allowed", pa.table({"row": np.flatnonzero(allowed_rows(rows))}))
        connection.execute("CREATE TEMP TABLE kept AS SELECT row FROM allowed")
        for klass in range(classes):
            query = TOP.replace("ORDER BY", "WHERE row IN (SELECT row FROM kept) ORDER BY")
            pages.append(page_of(connection.execute(query, [files_of(folder, klass), budget]).fetchnumpy()))
    return picked_from(pages, budget, Limits())


TOP = "SELECT row, session, timestamp_s, mi_mean AS score FROM read_parquet(?) ORDER BY score DESC, row LIMIT ?"
WINDOW = (
    "SELECT row, session, timestamp_s, score FROM (SELECT row, session, timestamp_s, mi_mean AS score, "
    "row_number() OVER (ORDER BY mi_mean DESC, row) AS place FROM read_parquet(?)) WHERE place <= ? ORDER BY place"
)
RIVALS: dict[str, Way] = {
    "ours": ours,
    "DuckDB ORDER BY LIMIT": sql(TOP),
    "numpy partition": numpy_partition,
    "DuckDB row_number()": sql(WINDOW),
    "polars sort head": polars_top,
    "pandas sort": pandas_sort,
}
OTHERS: dict[str, Way] = {
    "cap 20, gap 1 s": partial(ours, session_cap=20, minimum_gap_s=1.0),
    "cap 1": partial(ours, session_cap=1),
    "control 10 %": partial(ours, control_share=0.1),
    "filter 30 %": partial(ours, filter_share=0.3),
    "filter 30 %, semi join": semi_join,
    "epishare, no order to use": partial(ours, score="epishare"),
    "epishare, DuckDB ORDER BY": sql(TOP.replace("mi_mean", "mi_sum / (entropy_sum + 1::FLOAT)")),
}
WAYS = RIVALS | OTHERS
QUESTION = {
    **dict.fromkeys(RIVALS, "plain"),
    "filter 30 %, semi join": "filter 30 %",
    "epishare, DuckDB ORDER BY": "epishare, no order to use",
}
"""Way to the question that it answers, where several answer the same."""


@dataclass(frozen=True)
class Task:
    """What every way is asked for."""

    folder: Path
    rows: int
    classes: int
    budget: int
    passes: int


def measured(name: str, task: Task) -> dict[str, object]:
    """Seconds (best of passes), peak memory and hash of one way, in this process."""
    way = WAYS[name]
    seconds, busy, picks = list[float](), list[float](), list[int]()
    for _ in range(task.passes):
        start, started = time.perf_counter(), time.process_time()
        picks = way(task.folder, task.rows, task.classes, task.budget)
        seconds.append(time.perf_counter() - start)
        busy.append(time.process_time() - started)
    return {
        "name": name,
        "s": min(seconds),
        "cpu": min(busy),
        "first": seconds[0],
        "MB": peak_mb(),
        "picks": len(picks),
        "hash": hashlib.blake2b(np.array(picks, np.int64).tobytes(), digest_size=6).hexdigest(),
        **NOTES,
    }


def peak_mb() -> float:
    """Peak resident memory since this process began; getrusage would count its parent's too."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def in_own_process(name: str, task: Task) -> dict[str, object]:
    """Run one way in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        return executor.submit(measured, name, task).result()


def main() -> None:
    """Make the shards, run every way, print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--classes", type=int)
    parser.add_argument("--budget", type=int)
    parser.add_argument("--shard-rows", type=int, default=1_000_000)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="Keep the shards here, or take those that are here")
    parser.add_argument("--make-only", action="store_true", help="Make the shards in --folder and stop")
    parser.add_argument("--only", default=";".join(WAYS), help="Ways to run, separated by ;")
    arguments = parser.parse_args()
    large = arguments.rows > 10_000_000
    classes, budget = arguments.classes or (5 if large else 2), arguments.budget or (100_000 if large else 19_000)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for shard in range(arguments.rows // arguments.shard_rows):
            if not (folder / f"{shard:05d}-{classes - 1:03d}.parquet").exists():
                make_shard(folder, shard, rows=arguments.shard_rows, classes=classes)
        if not arguments.make_only:
            compare(Task(folder, arguments.rows, classes, budget, arguments.passes), arguments.only.split(";"))


def compare(task: Task, names: list[str]) -> None:
    """Print a line for each way; rivals of one question must give one pick list."""
    size_gb = sum(path.stat().st_size for path in task.folder.iterdir()) / 1e9
    say(f"{datetime.date.today()}  {os.cpu_count()} cores, load {os.getloadavg()[0]:.0f}, duckdb {duckdb.__version__}")
    say(f"{task.budget:,} of {task.rows:,} x {task.classes}, shards {size_gb:.1f} GB")
    say(f"{'way':30s}{'s':>9s}{'CPU s':>9s}{'first s':>9s}{'peak MB':>9s}{'picks':>9s}{'read rows':>12s}  hash")
    hashes: dict[str, str] = {}
    for name in names:
        try:
            result = in_own_process(name, task)
        except ImportError as error:
            say(f"{name:30s} left out: {error}")
            continue
        say(line(result))
        question = QUESTION.get(name, name)
        if hashes.setdefault(question, str(result["hash"])) != result["hash"]:
            raise SystemExit(f"{name}: another pick list than the ways before it")
        if name == "ours":
            billion = float(str(result["cpu"])) * 1e9 / task.rows
            say(f"  1B rows: {billion:.1f} CPU s, if that of this line grows with the number of shards")


def line(result: dict[str, object]) -> str:
    """One line of the table."""
    read = result.get("rows_read", "")
    return (
        f"{result['name']:28s}{result['s']:9.3f}{result['cpu']:9.3f}{result['first']:9.3f}{result['MB']:9.0f}{result['picks']:9d}{read!s:>12s}"
        f"  {result['hash']}"
    )


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
