"""How fast items like some examples are found: every vector compared, and the approximate index.

Run it as `python tests/benchmarks/bench_similarity.py [--rows 1000000]`.
"""

import argparse
import datetime
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from acquisition.similarity import example_direction, most_similar
from al_platform.storage.vectors import VectorIndex
from tests.benchmarks.bench_diversity import DIMENSIONS, some_pool

QUERIES, FOUND = 20, 10


def each(query: Callable[[int], np.ndarray]) -> tuple[list[np.ndarray], float, float]:
    """Answers, the least milliseconds on the clock and the mean CPU milliseconds of a query."""
    answers, seconds, busy = [], [], time.process_time()
    for example in range(QUERIES):
        start = time.perf_counter()
        answers.append(query(example))
        seconds.append(time.perf_counter() - start)
    return answers, 1e3 * min(seconds), 1e3 * (time.process_time() - busy) / QUERIES


def main() -> None:
    """Time both and compare what they find."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    _, embeddings = some_pool(rows)
    exact, clock_ms, busy_ms = each(lambda example: most_similar(embeddings, [example], FOUND)[0])
    sys.stdout.write(f"{datetime.date.today()}  {rows:,} x {DIMENSIONS}, {FOUND} nearest, {QUERIES} queries\n")
    sys.stdout.write(f"exact: {clock_ms:.1f} ms, {busy_ms:.1f} CPU ms, recall 1\n")
    with tempfile.TemporaryDirectory() as folder:
        busy = time.process_time()
        index = VectorIndex.build(Path(folder) / "vectors", embeddings)
        built = time.process_time() - busy

        def look(example: int) -> np.ndarray:
            found, _ = index.nearest(example_direction(embeddings, [example]), FOUND + 1)
            return found[found != example][:FOUND]

        found, clock_ms, busy_ms = each(look)
    recall = np.mean([np.isin(right, got).mean() for right, got in zip(exact, found, strict=True)])
    sys.stdout.write(
        f"index: {clock_ms:.2f} ms, {busy_ms:.2f} CPU ms, recall {recall:.3f}, built in {built:.0f} CPU s\n"
    )


if __name__ == "__main__":
    main()
