"""Agent-steps a second of reinforcement learning: everything in one program, against actors and learners apart.

    python tests/benchmarks/bench_apart.py [--network xs] [--scenes 32] [--sequence 16] [--updates 6] [--json OUT]

Small made scenes; two host devices that share the processor's cores. Every way makes its updates in turn, three times
over, and the best of each is told; compiling is left out. Staleness is the mean of that way's last updates.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=2"
sys.path.insert(0, str(Path(__file__).parents[2]))

import jax
import jax.numpy as jnp

from sim.learning.apart import Course, Places, begun, practise
from sim.learning.improving import ImproveSpec, iterate, start
from sim.learning.state import OptimiserSpec, begin
from sim.networks import init, network_named
from sim.observation.observe import observe
from sim.stepping import reset
from tests.sim.learning.scenes import COUNTS, DRIVE, store

OPTIMISER = OptimiserSpec(learning_rate=1e-4)
CHANCE = jnp.ones(8) / 8
KEY = jax.random.key(1)
ROUNDS = 3


class Bench:
    """One network and one shape of batches, to be driven and learned from in several ways."""

    def __init__(self, network: str, spec: ImproveSpec) -> None:
        self.how = {"network": network_named(network), "spec": spec, "drive": DRIVE}
        self.store = jax.device_put(store())
        scene = jax.tree.map(lambda leaf: leaf[0], self.store)
        example = jax.jit(lambda one: observe(one, reset(one), spec=DRIVE.observation))(scene)
        make = jax.jit(lambda key: init(network_named(network), key, example, actions=COUNTS))
        self.learner = begin(make(jax.random.key(0)), OPTIMISER)
        self.actors = start(self.store, CHANCE, jax.random.key(5), spec=spec, drive=DRIVE)

    def together(self, updates: int) -> dict[str, float]:
        """`iterate`, one update to warm up."""
        learner, actors = jax.tree.map(jnp.copy, (self.learner, self.actors))
        steps, since = 0.0, 0.0
        for number in range(updates + 1):
            key = jax.random.fold_in(KEY, number)
            learner, actors, terms = iterate(learner, actors, self.store, CHANCE, key, **self.how)
            steps += float(terms["steps"]) * (number > 0)
            since = since or time.perf_counter()
        return {"steps_per_s": steps / (time.perf_counter() - since), "staleness": 0.0}

    def apart(self, updates: int, places: Places) -> dict[str, float]:
        """`practise`, two updates to warm up: what waits in the queue was made before the clock starts."""
        seen: list[tuple[float, dict[str, float]]] = []
        practise(
            begun(self.learner, [self.actors], places=places),
            Course(self.store, CHANCE),
            KEY,
            updates=updates + 2,
            places=places,
            **self.how,
            updated=lambda update: seen.append((time.perf_counter(), update.terms)),
        )
        steps = sum(terms["steps"] for _, terms in seen[2:])
        ages = [terms["staleness"] for _, terms in seen[2:]]
        return {"steps_per_s": steps / (seen[-1][0] - seen[1][0]), "staleness": sum(ages) / len(ages)}


def ways(bench: Bench, updates: int) -> dict[str, Callable[[], dict[str, float]]]:
    """What is compared."""
    first, second = jax.devices()
    one, two = Places(acting=(first,), learning=(first,)), Places(acting=(first,), learning=(second,))
    return {
        "one program, one device": lambda: bench.together(updates),
        "apart on one device, newest": lambda: bench.apart(updates, one),
        "apart on two devices, in turns": lambda: bench.apart(updates, replace(two, behind=0)),
        "apart on two devices, one behind": lambda: bench.apart(updates, replace(two, behind=1)),
        "apart on two devices, newest": lambda: bench.apart(updates, two),
    }


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="xs")
    parser.add_argument("--scenes", type=int, default=32)
    parser.add_argument("--sequence", type=int, default=16)
    parser.add_argument("--updates", type=int, default=6)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    spec = ImproveSpec(scenes=given.scenes, sequence=given.sequence, optimiser=OPTIMISER)
    bench = Bench(given.network, spec)
    compared = ways(bench, given.updates)
    found = [{name: way() for name, way in compared.items()} for _ in range(ROUNDS)]
    best = {name: max((one[name] for one in found), key=lambda each: each["steps_per_s"]) for name in compared}
    base = best["one program, one device"]["steps_per_s"]
    print("| way | agent-steps/s | ratio | staleness |\n|---|---|---|---|")  # noqa: T201
    for name, figures in best.items():
        speed = figures["steps_per_s"]
        print(f"| {name} | {speed:,.0f} | {speed / base:.2f} | {figures['staleness']:.2f} |")  # noqa: T201
    if given.json:
        given.json.write_text(json.dumps({"best": best, "cores": os.cpu_count(), "spec": vars(given)}, default=str))


if __name__ == "__main__":
    main()
