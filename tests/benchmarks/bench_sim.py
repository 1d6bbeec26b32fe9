"""How fast scenes are driven: the ego's motion and all metrics, without and with what a policy sees.

    python tests/benchmarks/bench_sim.py [--batches 1,16,64,1024] [--scenarios STORE] [--reactive] [--kernels]
        [--json OUT]

Scenes are of the default size (512 agents, 151 steps): recorded ones of a store that `alp scenarios ingest` made, or
else made ones with 511 agents that all move. A batch repeats a few of them; each copy has memory of its own.
Actions are drawn beforehand. With observation, a policy reads every number of what it sees and picks an action by
it, so that nothing can be left out. Every figure is the minimum of several rollouts. `--kernels` compiles and counts,
and times nothing.
"""

import argparse
import datetime
import json
import math
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import Partial

import sim
from al_platform.datasets import load_scenarios
from sim.drivers import Decision, View
from sim.preparing import prepare
from sim.rolling import RolloutSpec, compiled
from sim.scenario import Scenario, Sizes

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.kernels import kernels_of
from tests.sim.scenes import road_recording

DISTINCT = 4
RECORDED = 64
PASSES = 7
MOST_PASSES, SECONDS = 30, 3.0  # Short configurations are repeated until one of both is reached.


def made_scenes() -> list[Scenario]:
    """A few scenes full of traffic."""
    return [
        prepare(road_recording(seed=seed, agents=511, curvature=0.002 * seed, steps=151, speed=1.3)).scenario
        for seed in range(DISTINCT)
    ]


def recorded_scenes(uri: str) -> list[Scenario]:
    """The first scenes of a store, which must be of the default size."""
    store = load_scenarios(uri, sizes=Sizes())
    return [store[row] for row in range(min(len(store), RECORDED))]


def batch_of(distinct: list[Scenario], count: int) -> Scenario:
    """`count` scenes, one after the other and again from the first."""
    return jax.tree.map(
        lambda *leaves: jnp.asarray(np.stack([leaves[n % len(leaves)] for n in range(count)])), *distinct
    )


def sees_everything(view: View, key: jax.Array) -> Decision:
    """The recorded action, unless what is seen adds up to a number that it never adds up to."""
    leaves = jax.tree.leaves(view.observation)
    total = sum((leaf.astype(jnp.float32).sum() for leaf in leaves), start=jnp.zeros(()))
    chosen = sim.replay_actions(view, key)
    return Decision(action=chosen.action + (total == 12345.678).astype(jnp.int32))


def measured(scenes: Scenario, policy: Callable[..., Decision], *, timed: bool, reactive: bool) -> dict[str, Any]:
    """Times, costs and sizes of one configuration."""
    count, steps = scenes.log.states.shape[0], scenes.log.states.shape[1] - 1
    rng = np.random.default_rng(0)
    guide = jnp.asarray(
        np.stack([rng.integers(35, 46, (count, steps)), rng.integers(13, 18, (count, steps))], -1), jnp.int32
    )
    key = jax.random.key(0)
    spec = RolloutSpec(steps=steps, reactive=reactive)
    start = time.perf_counter()
    program = compiled.lower(scenes, Partial(policy), key, guide, None, spec=spec, mesh=None).compile()
    compile_s = time.perf_counter() - start
    run = partial(program, scenes, Partial(policy), key, guide, None)
    wall, cpu = fastest(run) if timed else (math.nan, math.nan)
    # Of a loop the analysis counts one round: a rollout of a single step is what it can tell the costs of.
    single = compiled.lower(scenes, Partial(policy), key, guide, None, spec=replace(spec, steps=1), mesh=None)
    cost, memory = single.compile().cost_analysis() or {}, program.memory_analysis()
    return {
        "batch": count,
        "observation": policy is sees_everything,
        "ms_per_step": wall / steps * 1e3,
        "env_steps_per_s": count * steps / wall,
        "cpu_us_per_env_step": cpu / steps / count * 1e6,
        **asdict(kernels_of(program.as_text(), steps=steps)),
        "kflop_per_env_step": cost.get("flops", math.nan) / count / 1e3,
        "kb_per_env_step": cost.get("bytes accessed", math.nan) / count / 1e3,
        "compile_s": compile_s,
        "mb_per_scenario": sum(leaf.nbytes for leaf in jax.tree.leaves(scenes)) / count / 1e6,
        "temporary_mb_per_scenario": memory.temp_size_in_bytes / count / 1e6,
    }


def fastest(run: Callable[[], object]) -> tuple[float, float]:
    """Smallest wall and smallest processor seconds of several runs."""
    jax.block_until_ready(run())
    walls, processors = [], []
    begin = time.perf_counter()
    while len(walls) < PASSES or (len(walls) < MOST_PASSES and time.perf_counter() - begin < SECONDS):
        wall, processor = time.perf_counter(), time.process_time()
        jax.block_until_ready(run())
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return min(walls), min(processors)


COLUMNS = (
    ("batch", 6), ("seen", 5), ("ms/step", 8), ("env-steps/s", 12), ("us cpu", 7), ("kernels", 7), ("fusions", 7),
    ("once", 5), ("kFLOP", 7), ("kB", 8), ("compile s", 9), ("MB/scene", 8), ("temporary", 9),
)  # fmt: skip
"""Of what is printed. kFLOP and kB are for an environment step, kB whole operands; the kernels `once` are those of a
rollout outside of its steps, and megabytes are for a scene."""


def line(row: dict[str, Any]) -> str:
    """One line of the table."""
    return (
        f"{row['batch']:6} {row['observation']!s:>5} {row['ms_per_step']:8.4f} {row['env_steps_per_s']:12,.0f} "
        f"{row['cpu_us_per_env_step']:7.2f} {row['kernels_per_step']:7.0f} {row['fusions_per_step']:7.0f} "
        f"{row['kernels_once']:5} {row['kflop_per_env_step']:7.1f} {row['kb_per_env_step']:8.1f} "
        f"{row['compile_s']:9.1f} {row['mb_per_scenario']:8.2f} {row['temporary_mb_per_scenario']:9.3f}"
    )


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", default="1,16,64,1024")
    parser.add_argument("--scenarios", metavar="STORE", help="drive the recorded scenes of this store")
    parser.add_argument("--reactive", action="store_true", help="agents that follow the ego brake for it")
    parser.add_argument("--kernels", action="store_true", help="compile and count, and time nothing")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    distinct = recorded_scenes(arguments.scenarios) if arguments.scenarios else made_scenes()
    rows = []
    print(" ".join(f"{title:>{width}}" for title, width in COLUMNS))  # noqa: T201
    for count in (int(word) for word in arguments.batches.split(",")):
        scenes = batch_of(distinct, count)
        for policy in (sim.replay_actions, sees_everything):
            rows.append(measured(scenes, policy, timed=not arguments.kernels, reactive=arguments.reactive))
            print(line(rows[-1]), flush=True)  # noqa: T201
    about = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "backend": jax.default_backend(),
        "jax": jax.__version__,
        "reactive": arguments.reactive,
        "load": os.getloadavg()[0],
        "scenes": f"{len(distinct)} {'recorded' if arguments.scenarios else 'made'}",
    }
    if arguments.json:
        arguments.json.write_text(json.dumps({"about": about, "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
