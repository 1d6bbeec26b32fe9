"""What the forward passes of the networks cost: FLOPs of one observation by part, as a table.

    python tests/benchmarks/bench_networks.py [--agents 64] [--roads 128]

Counted, not timed.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp

sys.path.insert(0, str(Path(__file__).parents[2]))

from sim.actions import ActionSpec
from sim.costs import forward_costs
from sim.networks import NETWORKS, init, parameter_count
from sim.observation.record import AGENT, BORDER, EGO, ROAD, VALUE_ONLY, Borders, Observation, ObservationSpec, Tokens
from sim.scenario.record import Sizes

SPEC = ObservationSpec()


def example(agents: int, roads: int) -> Observation:
    """An observation of these sizes with nothing in it."""

    def tokens(count: int, columns: int) -> Tokens:
        return Tokens(jnp.zeros((count, columns)), jnp.zeros(count, jnp.int8), jnp.zeros(count, bool))

    lanes = Sizes().lanes
    return Observation(
        ego=jnp.zeros(len(EGO)),
        agents=tokens(agents, len(AGENT)),
        roads=tokens(roads, len(ROAD)),
        route=Borders(jnp.zeros((lanes, SPEC.points, len(BORDER))), jnp.zeros((lanes, SPEC.points), bool)),
        value_only=jnp.zeros(len(VALUE_ONLY)),
    )


def main() -> None:
    """Print the table, in millions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=SPEC.agents)
    parser.add_argument("--roads", type=int, default=SPEC.roads)
    given = parser.parse_args()
    seen, actions = example(given.agents, given.roads), ActionSpec().counts
    found = {name: forward_costs(spec, seen, actions=actions) for name, spec in NETWORKS.items()}
    parts = list(dict.fromkeys(part for costs in reversed(found.values()) for part in costs))
    print("| network | parameters | " + " | ".join(parts) + " | all |")  # noqa: T201
    print("|---|" + "---|" * (len(parts) + 2))  # noqa: T201
    for name, costs in found.items():
        made = jax.eval_shape(partial(init, NETWORKS[name], actions=actions), jax.random.key(0), seen)
        shown = [f"{costs[part] / 1e6:.2f}" if part in costs else "-" for part in parts]
        total = sum(costs.values()) / 1e6
        print(f"| {name} | {parameter_count(made) / 1e6:.2f} M | {' | '.join(shown)} | {total:.2f} |")  # noqa: T201


if __name__ == "__main__":
    main()
