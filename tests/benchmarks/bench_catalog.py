"""The catalog at two million frames: how fast rows go in, and how long each question takes.

    python tests/benchmarks/bench_catalog.py [--frames 2000000]

Frames are made on the spot: 200 a session, four tags, one frame in twenty labelled. Every question is asked
REPEATS times; p50, p99 (of so few the slowest) and the best are of these.
"""

import argparse
import datetime
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from al_platform.catalog import datasets
from al_platform.catalog.annotations import add_annotations
from al_platform.catalog.bulk import add_frame_rows
from al_platform.catalog.connection import Catalog, Transaction
from al_platform.catalog.frames import count_matching, frames_by_id
from al_platform.catalog.lineage import lineage_of
from al_platform.catalog.queues import queues, waiting_tasks
from al_platform.catalog.tables import visible
from al_platform.catalog.tasks import add_tasks
from al_platform.domain.labels import Annotation, LabelTask, TaskState
from al_platform.storage.blobs import BlobStore

NOW = "2026-01-31 12:00:00.000000"
REPEATS = 15
QUEUED = 19_000

FRAMES = """
SELECT 'frm_' || md5(i::VARCHAR)[:24] AS frame_id, 'fleet' AS dataset,
    'fleet/drive_' || lpad((i // 200)::VARCHAR, 6, '0') AS session_id, (i % 200)::BIGINT AS frame_number,
    (i % 200) * 0.5::DOUBLE AS timestamp_s, 1920 AS width, 1080 AS height, md5(i::VARCHAR) AS image_hash,
    100000 AS image_size{tags}
FROM range({first}, {last}) AS made(i)
"""

TAGS = """, '{"city":"' || ['oslo', 'bern', 'rome', 'lima'][1 + (i // 20000) % 4] || '","night":"' || (i // 400) % 2
    || '","weather":"' || ['dry', 'rain', 'snow'][1 + (i // 200) % 3]
    || '","lux":' || (i % 9973) / 7.0 || '}' AS tags"""


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=2_000_000)
    frames = parser.parse_args().frames
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ingest(folder, frames)
        questions(folder, frames)
    say(f"highest memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB")
    say(f"{platform.machine()}, {os.cpu_count()} cores, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}")


def ingest(folder: Path, frames: int) -> None:
    """Bulk ingest beside what it is measured against: the same rows into a bare table, and with a primary key."""
    plain = made_frames(0, frames)
    pq.write_table(plain, folder / "frames.parquet")
    say("| ingest, best of 3 | rows | M rows/s | core-seconds a M rows |\n|---|---|---|---|")
    ways: dict[str, tuple[Callable[[Path], tuple[float, float]], int]] = {
        "Arrow, 9 columns, checked": (lambda path: checked(path, plain), frames),
        "Parquet, 9 columns, checked": (lambda path: checked(path, folder / "frames.parquet"), frames),
        "Arrow with 4 tags a frame, checked": (lambda path: checked(path, tagged), frames),
        "rival: INSERT of the same Arrow, no check": (lambda path: bare(path, plain, key=""), frames),
        "rival: the same with a primary key": (lambda path: bare(path, keyed, key="PRIMARY KEY"), frames // 10),
    }
    tagged, keyed = made_frames(0, frames, tags=True), plain.slice(0, frames // 10)
    for label, (way, rows) in ways.items():
        took = [way(folder / "new.duckdb") for _ in range(3)]
        wall, busy = (min(seconds) for seconds in zip(*took, strict=True))
        say(f"| {label} | {rows:,} | {rows / wall / 1e6:.2f} | {busy * 1e6 / rows:.2f} |")


def checked(path: Path, rows: pa.Table | Path) -> tuple[float, float]:
    """Through the catalog, committed."""
    catalog = Catalog.open(path)

    def work() -> None:
        with catalog.transaction() as tx:
            add_frame_rows(tx, rows)

    took = timed(work)
    catalog.close()
    path.unlink()
    return took


def bare(path: Path, rows: pa.Table, *, key: str) -> tuple[float, float]:
    """Straight into a table, committed."""
    with duckdb.connect(str(path)) as connection, visible(connection, "incoming", rows):
        columns = ", ".join(f"{row[0]} {row[1]}" for row in connection.execute("DESCRIBE incoming").fetchall())
        columns = columns.replace("frame_id VARCHAR", f"frame_id VARCHAR {key}")
        connection.execute(f"CREATE TABLE frames ({columns})")
        took = timed(lambda: connection.execute("INSERT INTO frames SELECT * FROM incoming"))
    path.unlink()
    return took


def questions(folder: Path, frames: int) -> None:
    """Every question at full size."""
    catalog, blobs = Catalog.open(folder / "catalog.duckdb"), BlobStore(str(folder / "blobs"))
    with catalog.transaction() as tx:
        add_frame_rows(tx, made_frames(0, frames, tags=True))
        names = fill(tx, blobs, frames)
    some = np.random.default_rng(0).integers(0, frames, 1000)
    with catalog.transaction() as tx:
        some_ids = ids_of(tx, some.tolist())
        asked: dict[str, Callable[[], object]] = {
            "count: tag equal (weather=rain)": lambda: count_matching(tx, "weather=rain"),
            "count: two tags and a column": lambda: count_matching(tx, "weather=rain,city!=rome,frame_number<100"),
            "count: tag of a frame's own (lux>=700)": lambda: count_matching(tx, "lux>=700"),
            "rival: weather in JSON, frame by frame": lambda: tx.execute(RIVAL).fetchall(),
            "1,000 frames by id": lambda: frames_by_id(tx, some_ids),
            "unlabelled of one tag (rain, oslo)": lambda: count_matching(tx, "weather=rain,city=oslo", unlabelled=True),
            "all unlabelled": lambda: count_matching(tx, "", unlabelled=True),
            "queues, tasks by state": lambda: queues(tx),
            f"a queue of {QUEUED:,} at the labellers": lambda: waiting_tasks(tx, "main"),
            "lineage of a label": lambda: lineage_of(tx, blobs, names["label"]),
            "lineage of a pool of 5,000": lambda: lineage_of(tx, blobs, names["pool"]),
            "freeze a pool of all": lambda: datasets.freeze_pool(tx, blobs, "", now=NOW),
            "read a pool of all": lambda: datasets.pool_table(tx, blobs, names["all"]),
            "read a version of half": lambda: datasets.version_table(tx, blobs, names["new"]),
            "diff of two versions of half": lambda: datasets.version_diff(tx, blobs, names["old"], names["new"]),
        }
        tx.execute("CREATE TEMP TABLE plain AS SELECT tags FROM frames JOIN tag_sets USING (tag_set)")
        say("\n| question, ms | best | p50 | p99 | core-ms, best |\n|---|---|---|---|---|")
        for label, ask in asked.items():
            wall, busy = (np.array([timed(ask) for _ in range(REPEATS)]) * 1e3).T
            spread = " | ".join(f"{value:.1f}" for value in np.percentile(wall, [0, 50, 99]))
            say(f"| {label} | {spread} | {busy.min():.1f} |")
    catalog.close()
    say(f"\ncatalog file: {(folder / 'catalog.duckdb').stat().st_size / 2**20:.0f} MiB")


RIVAL = "SELECT count(*) FROM plain WHERE json_extract_string(tags, '/weather') = 'rain'"


LABELS = f"""
INSERT INTO annotations SELECT 'ann_' || frame_id, frame_id, NULL, 1, 'people', '{{{{}}}}', '{NOW}'
FROM frames WHERE frame_number % 3 = 1 LIMIT {{count}}
"""


def fill(tx: Transaction, blobs: BlobStore, frames: int) -> dict[str, str]:
    """Labels, tasks, pools and versions; gives the ids that questions are asked of."""
    (label,) = add_annotations(tx, [Annotation(ids_of(tx, [0])[0], ("person",), "people")], task_ids=[None], now=NOW)
    tx.execute(LABELS.format(count=frames // 20))
    queued = ids_of(tx, range(1, QUEUED + 1))
    tasks = [LabelTask(f"tsk_{n}", "rnd_1", name, "person", n, 0.5, TaskState.SENT) for n, name in enumerate(queued)]
    add_tasks(tx, tasks, queue="main")
    half = tx.sql(f"SELECT frame_id AS item_id, 'ann_' || frame_id AS annotation_id FROM frames LIMIT {frames // 2}")
    items = half.to_arrow_table()
    old = datasets.add_version(
        tx, blobs, parent_id=None, additions=items.slice(1000), purpose="train", round_id=None, now=NOW
    )
    new = datasets.add_version(
        tx, blobs, parent_id=old.version_id, additions=items.slice(0, 1000), purpose="train", round_id=None, now=NOW
    )
    return {
        "label": label,
        "pool": datasets.add_pool(tx, blobs, ids_of(tx, range(5000)), described="5,000", now=NOW),
        "all": datasets.freeze_pool(tx, blobs, "", now=NOW)[0],
        "old": old.version_id,
        "new": new.version_id,
    }


def ids_of(tx: Transaction, rows: object) -> list[str]:
    """The ids of frames by number of making."""
    numbers = pa.table({"i": list(rows)})  # type: ignore[call-overload]
    with visible(tx, "numbers", numbers):
        return [row[0] for row in tx.execute("SELECT 'frm_' || md5(i::VARCHAR)[:24] FROM numbers").fetchall()]


def made_frames(first: int, last: int, *, tags: bool = False) -> pa.Table:
    """Frames by number of making."""
    with duckdb.connect() as connection:
        sql = FRAMES.format(first=first, last=last, tags=TAGS if tags else "")
        return connection.sql(sql).to_arrow_table()


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds that work took, and seconds of all cores, which other work on the machine moves less."""
    started, busy = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - started, time.process_time() - busy


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
