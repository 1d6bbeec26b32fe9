"""The evidence on real frames: three pools, five paired seeds, the arms and the recipe that are asked for.

    python tests/benchmarks/real_frames.py FOLDER [--arms mixdist,random] [--set steps=150 ...] [--home .alp/real]

The pools run side by side, a process and a core each: small heads gain less from a second core than a second pool does.
Stopped anywhere, the same command goes on. Prints the tables as Markdown; the reports lie under the homes of the pools.
"""

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ARMS = "mixdist,mi,core-set,manual,random"
ALL_ARMS = "mixdist,epidist,mi,epishare,entropy,mass,core-set,stratified,manual,random"


ONE_THREAD = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false", "NPROC": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Pool:
    """One experiment: the options of `alp ab` that make it, and the classes its table shows."""

    name: str
    options: str
    shown: tuple[str, ...]


POOLS = (
    Pool(
        "CamVid",
        "--pool session_id=camvid/camvid_0006R0|camvid/camvid_0016E5 "
        "--test session_id=camvid/camvid_Seq05VD|camvid/camvid_0001TP "
        "--targets pedestrian,bicyclist --start 15 --budget 15",
        ("pedestrian", "bicyclist", "mean of targets"),
    ),
    Pool(
        "IDD-Lite long tail",
        "--pool dataset=idd_lite,split=train --test dataset=idd_lite,split=val --thin living=10 "
        "--targets living --classes living,vehicle --start 20 --budget 20",
        ("living",),
    ),
    Pool(
        "IDD-Lite natural",
        "--pool dataset=idd_lite,split=train --test dataset=idd_lite,split=val "
        "--targets living,vehicle --start 40 --budget 40",
        ("living", "vehicle", "mean of targets"),
    ),
)


def main() -> None:
    """Run what is missing of the three experiments and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="folder of the recordings with their manifest.csv")
    parser.add_argument("--home", default=".alp/real")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--arms", default=ARMS, help=f"comma-separated; all is {ALL_ARMS}")
    parser.add_argument("--set", action="append", default=[], help="KEY=VALUE of the recipe, as `alp ab` takes it")
    arguments = parser.parse_args()
    arguments.arms = ALL_ARMS if arguments.arms == "all" else arguments.arms
    started = time.monotonic()
    with ThreadPoolExecutor(len(POOLS)) as side_by_side:
        summaries = list(side_by_side.map(lambda pool: _run(pool, arguments), POOLS))
    for pool, summary in zip(POOLS, summaries, strict=True):
        for line in _tables(pool, summary):
            sys.stdout.write(line + "\n")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}"
    sys.stdout.write(f"\n{machine}, {(time.monotonic() - started) / 60:.0f} minutes\n")


def _run(pool: Pool, arguments: argparse.Namespace) -> dict[str, Any]:
    home = str(Path(arguments.home) / pool.name.lower().replace(" ", "-"))
    command = [str(Path(sys.executable).parent / "alp"), "--home", home, "ab", "--name", pool.name]
    command += ["--adapter", "masks", "--data", arguments.data, "--seeds", str(arguments.seeds)]
    command += ["--strategies", arguments.arms, *pool.options.split()]
    command += [part for pair in arguments.set for part in ("--set", pair)]
    finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, **ONE_THREAD})
    report = Path(finished.stdout.rsplit("report: ", 1)[1].strip())
    summary: dict[str, Any] = json.loads((report.parent / "summary.json").read_text())
    return summary


def _tables(pool: Pool, summary: dict[str, Any]) -> Iterator[str]:
    setting = summary["experiment"]
    yield (
        f"\n**{pool.name}**: pool {setting['pool_frames']} frames of {setting['pool_sessions']} sessions, "
        f"test {setting['test_frames']} frames of {setting['test_sessions']} other sessions\n"
    )
    for shown in pool.shown:
        rounds = sorted({row["round"] for row in summary["curves"]})
        frames = {row["round"]: row["frames"] for row in summary["curves"]}
        picked = (1, 2, rounds[-1])
        titles = " | ".join(f"AP at {frames[index]:.0f}" for index in picked)
        yield f"| {shown} | {titles} | curve − random | per object − random | frames saved | cells a label | sessions |"
        yield "|---|" + "---|" * (len(picked) + 5)
        for arm in setting["arms"]:
            curve = {
                row["round"]: row["average_precision"]["mean"]
                for row in summary["curves"]
                if row["arm"] == arm and row["class"] == shown
            }
            values = " | ".join(f"{curve[index]:.3f}" for index in picked)
            selection = next(row for row in summary["selections"] if row["arm"] == arm and row["round"] is None)
            yield (
                f"| {arm} | {values} | {_versus_random(summary, arm, shown)} | {_per_object(summary, arm, shown)} "
                f"| {_saving(summary, arm, shown)} | {selection['positives_per_label']['mean']:.1f} "
                f"| {selection['sessions']['mean']:.0f} |"
            )
        yield ""


def _versus_random(summary: dict[str, Any], arm: str, shown: str) -> str:
    rows = [row for row in summary["comparisons"] if (row["arm"], row["baseline"]) == (arm, "random")]
    found = [row for row in rows if row["class"] == shown and row["at"] == "mean curve"]
    return _signed(found[0]["difference"]) if found else ""


def _per_object(summary: dict[str, Any], arm: str, shown: str) -> str:
    rows = [row for row in summary["areas"] if (row["arm"], row["class"]) == (arm, shown)]
    found = [row for row in rows if row["cost"] == "positive cells"]
    return _signed(found[0]["difference"]) if found and arm != "random" else ""


def _saving(summary: dict[str, Any], arm: str, shown: str) -> str:
    rows = [row for row in summary["label_saving"] if (row["arm"], row["class"]) == (arm, shown)]
    found = [row for row in rows if row["cost"] == "frames"]
    if not found or found[0]["ratio"] is None:
        return ""
    signs = {"<=": "≤ ", ">=": "≥ "}
    row = found[0]
    ratio, low, high = (
        f"{signs.get(row[bound] or '', '')}{row[name]:.1f}"
        for name, bound in (("ratio", "bound"), ("low", "low_bound"), ("high", "high_bound"))
    )
    return f"{ratio} [{low}, {high}]"


def _signed(interval: dict[str, Any] | None) -> str:
    if interval is None or interval["mean"] is None:
        return ""
    half = (interval["high"] - interval["low"]) / 2.0
    star = "*" if interval["low"] > 0.0 or interval["high"] < 0.0 else ""
    return f"{interval['mean']:+.3f} ± {half:.3f}{star}"


if __name__ == "__main__":
    main()
