"""How fast informative and unlike items are picked: bounds renewed only where they lead, against renewing everything.

Run it as `python tests/benchmarks/bench_diversity.py [--rows 1000000]`. CPU seconds; the plain form is run for
`--plain` picks, compared pick by pick, and scaled to the budget, since every pick costs it the same.
"""

import argparse
import datetime
import os
import sys
import time

import numpy as np

from acquisition import distance_weighted

DIMENSIONS, INTRINSIC, CLUSTERS, LABELLED = 128, 24, 2_000, 200


def some_pool(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores with a heavy tail, and embeddings in clusters of few intrinsic dimensions."""
    rng = np.random.default_rng(0)
    centres, lift = rng.normal(size=(CLUSTERS, INTRINSIC)), rng.normal(size=(INTRINSIC, DIMENSIONS)) / 5.0
    latent = centres[rng.integers(0, CLUSTERS, rows)] + 0.3 * rng.normal(size=(rows, INTRINSIC))
    return rng.gamma(0.5, 1.0, rows), (latent @ lift).astype(np.float32)


def plain(scores: np.ndarray, embeddings: np.ndarray, labelled: np.ndarray, budget: int) -> list[int]:
    """The definition: every distance renewed after every pick, in blocks."""
    distance = np.full(len(scores), np.inf)
    picked: list[int] = []

    def renew(reference: np.ndarray) -> None:
        for start in range(0, len(scores), 4_096):
            difference = embeddings[start : start + 4_096].astype(np.float64) - reference
            block = distance[start : start + 4_096]
            np.minimum(block, np.einsum("bd,bd->b", difference, difference), out=block)

    for reference in labelled.astype(np.float64):
        renew(reference)
    start = time.process_time()
    open_rows = np.ones(len(scores), bool)
    while len(picked) < budget:
        picked.append(int(np.where(open_rows, scores * distance, -np.inf).argmax()))
        open_rows[picked[-1]] = False
        renew(embeddings[picked[-1]].astype(np.float64))
    sys.stdout.write(f"plain: {(time.process_time() - start) / budget:.3f} CPU s a pick\n")
    return picked


def main() -> None:
    """Time both and compare the picks."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--budget", type=int, default=1_000)
    parser.add_argument("--plain", type=int, default=10)
    arguments = parser.parse_args()
    scores, embeddings = some_pool(arguments.rows)
    labelled = embeddings[:LABELLED]
    sys.stdout.write(f"{datetime.date.today()}  {os.cpu_count()} cores, {arguments.rows:,} x {DIMENSIONS}\n")
    for name, weights in (("mixdist", scores), ("core-set", np.ones(arguments.rows))):
        busy, start = time.process_time(), time.perf_counter()
        distance_weighted(weights, embeddings, labelled, 1)
        first = time.process_time() - busy
        busy, start = time.process_time(), time.perf_counter()
        picks, _ = distance_weighted(weights, embeddings, labelled, arguments.budget)
        whole = time.process_time() - busy
        sys.stdout.write(
            f"{name}: {arguments.budget} picks {whole:.1f} CPU s ({time.perf_counter() - start:.1f} s on the clock), "
            f"of these {first:.1f} for the {LABELLED} labelled\n"
        )
        sys.stdout.flush()
        same = picks[: arguments.plain].tolist() == plain(weights, embeddings, labelled[:], arguments.plain)
        sys.stdout.write(f"the first {arguments.plain} picks are {'equal' if same else 'NOT equal'}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
