"""A whole warm round on 1,400 frames: train 8 members, score the pool, select, label, append.

    python tests/benchmarks/bench_round.py

The frames are those of the virtual fleet. Ingest and the encoder's records are timed apart: they are paid once a frame.
The first round compiles; those after it are what a loop repeats.
"""

import datetime
import os
import platform
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from al_platform.domain.rounds import Budget, RoundSpec, StrategySpec
from al_platform.models.families import model_spec
from al_platform.platform.data import freeze_pool, ingest_dataset
from al_platform.platform.home import open_platform
from al_platform.platform.rounds import round_details, run_one_round, start_set
from al_platform.settings import read_settings

FRAMES = 1400
ROUNDS = 5


def main() -> None:
    """Print what each round took, in seconds, step by step."""
    with tempfile.TemporaryDirectory() as folder, open_platform(read_settings(Path(folder))) as opened:
        started = time.perf_counter()
        ingest_dataset(opened, "synthetic", None, {"frames": str(FRAMES), "sessions": "140"})
        say(f"ingest, rendering included: {FRAMES / (time.perf_counter() - started):.0f} frames/s")
        pool_id, frames = freeze_pool(opened, "dataset=synthetic")
        spec = RoundSpec(
            model=model_spec("prefix-heads", ("person", "bicycle")),
            dataset_version_id=start_set(opened, frames["item_id"], frames=40, seed=0),
            pool_id=pool_id,
            targets=("person", "bicycle"),
            budget=Budget(40),
            strategy=StrategySpec("mixdist"),
        )
        for index in range(ROUNDS):
            started = time.perf_counter()
            finished = run_one_round(opened, spec)
            total = time.perf_counter() - started
            steps = round_details(opened, finished.round_id).steps
            parts = ", ".join(f"{step.step} {step.seconds:.2f}" for step in steps)
            say(f"round {index}{' (cold: encodes the pool, compiles)' if index == 0 else ''}: {total:.2f} s ({parts})")
            spec = replace(spec, dataset_version_id=finished.dataset_version_id or "")
    say(f"{platform.machine()}, {os.cpu_count()} cores, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
