"""How fast the camera renders: frames of generated scenes with their labels, alone and in batches, by light.

    python tests/benchmarks/bench_camera.py [--size 256x128] [--batches 1,8] [--json OUT]

A batch is `--batches` scenes, each a distinct generated one where there are as many, at the middle of its recording.
Every figure is the minimum of several runs, compiled beforehand.
"""

import argparse
import datetime
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from sim.camera import CameraSpec, Daytime, render_many
from sim.generator import scene
from sim.preparing import prepare
from sim.scenario import Scenario

DISTINCT = 4
PASSES, SECONDS = 5, 1.0  # Whichever takes longer.
LOOKS = {
    "day": {"daytime": Daytime.DAY},
    "night": {"daytime": Daytime.NIGHT},
    "day, rain": {"daytime": Daytime.DAY, "rain": 0.7},
}


def batch_of(distinct: list[Scenario], count: int) -> Scenario:
    """`count` scenes, one after the other and again from the first."""
    return jax.tree.map(
        lambda *leaves: jnp.asarray(np.stack([leaves[n % len(leaves)] for n in range(count)])), *distinct
    )


def measured(scenes: Scenario, spec: CameraSpec) -> dict[str, float]:
    """Milliseconds of wall and processor time a frame, and what the compiler counts."""
    count = scenes.log.ego.shape[0]
    steps = scenes.log.steps // 2
    poses = scenes.log.ego[jnp.arange(count), steps, :3]
    keys = jax.random.split(jax.random.key(0), count)
    start = time.perf_counter()
    program = render_many.lower(scenes, poses, steps, keys, spec).compile()
    compile_s = time.perf_counter() - start
    wall, processor = fastest(lambda: program(scenes, poses, steps, keys))
    cost = program.cost_analysis() or {}
    return {
        "ms_per_frame": wall / count * 1e3,
        "cpu_ms_per_frame": processor / count * 1e3,
        "frames_per_s": count / wall,
        "mflop_per_frame": cost.get("flops", float("nan")) / count / 1e6,
        "compile_s": compile_s,
    }


def fastest(run: Callable[[], object]) -> tuple[float, float]:
    """Smallest wall and smallest processor seconds of several runs."""
    jax.block_until_ready(run())
    walls, processors = [], []
    begin = time.perf_counter()
    while len(walls) < PASSES or time.perf_counter() - begin < SECONDS:
        wall, processor = time.perf_counter(), time.process_time()
        jax.block_until_ready(run())
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return min(walls), min(processors)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="256x128")
    parser.add_argument("--batches", default="1,8")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    width, height = (int(word) for word in arguments.size.split("x"))
    distinct = [prepare(scene(0, number)).scenario for number in range(DISTINCT)]
    rows: list[dict[str, Any]] = []
    print("batch  light      ms/frame  cpu ms/frame  frames/s  MFLOP/frame  compile s")  # noqa: T201
    for count in (int(word) for word in arguments.batches.split(",")):
        scenes = batch_of(distinct, count)
        for name, look in LOOKS.items():
            row = measured(scenes, CameraSpec(width=width, height=height, **look))  # type: ignore[arg-type]
            rows.append({"batch": count, "light": name, **row})
            print(  # noqa: T201
                f"{count:5}  {name:9}  {row['ms_per_frame']:8.2f}  {row['cpu_ms_per_frame']:12.2f}  "
                f"{row['frames_per_s']:8.0f}  {row['mflop_per_frame']:11.1f}  {row['compile_s']:9.1f}",
                flush=True,
            )
    about = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "backend": jax.default_backend(),
        "load": os.getloadavg()[0],
        "size": arguments.size,
    }
    if arguments.json:
        arguments.json.write_text(json.dumps({"about": about, "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
