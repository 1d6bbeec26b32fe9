"""Where an iteration of practice spends its time: simulator, observation, inference, learning.

    python tests/benchmarks/bench_iteration.py --store HOME/scenarios [--out FOLDER]

The default recipe: traffic reacts, and the drivers are held near those that they began with. Milliseconds, the least
of five; what stands behind a comma comes on top of what stands before it. Writes FOLDER/iteration.json.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from drivers_judged import split_of
from jax.tree_util import Partial

from al_platform.domain.policies import PolicySpec, PracticeRecipe
from al_platform.policies.recipes import fresh_of, improve_spec, network_of, training_drive
from sim.drivers import Decision
from sim.learning.driving import exploring
from sim.learning.improving import ImproveSpec, act, learn, start
from sim.learning.state import begin
from sim.networks import Parameters
from sim.rolling import rollout
from sim.scenario.record import Scenario


def main() -> None:
    asked = _asked()
    recipe = PracticeRecipe()
    spec = PolicySpec(practice=recipe)
    scenes = split_of(str(asked.store))["train"]
    shown: Scenario = jax.device_put(scenes.load(range(min(recipe.scenes, len(scenes)))))
    times = {name: _least(work) for name, work in works_of(spec, improve_spec(recipe), shown).items()}
    iteration = times["acting"] + times["learning"]
    content = {
        "devices": [str(device) for device in jax.devices()],
        "milliseconds": {**times, "iteration": iteration},
        "share of the simulator": times["simulator"] / iteration,
        "agent-steps/s": 1e3 * recipe.scenes * recipe.sequence / iteration,
    }
    sys.stdout.write(json.dumps(content, indent=1) + "\n")
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        (asked.out / "iteration.json").write_text(json.dumps(content, indent=1))


def works_of(spec: PolicySpec, how: ImproveSpec, shown: Scenario) -> dict[str, Callable[[], Any]]:
    """What an iteration does, each part with all that it needs before it."""
    drive, network, key = training_drive(spec), network_of(spec), jax.random.key(0)
    chance = jnp.full(shown.log.steps.shape[0], 1.0 / shown.log.steps.shape[0])
    parameters: Parameters = jax.tree.map(lambda leaf: leaf[0], fresh_of(spec, key))
    actors = start(shown, chance, key, spec=how, drive=drive)
    acting = jax.jit(partial(act, network=network, spec=how, drive=drive))
    _, lived, _ = acting(shown, chance, actors, parameters, key)
    learner = begin(parameters, how.optimiser)
    learning = jax.jit(partial(learn, network=network, counts=drive.actions.counts, spec=how, reference=parameters))
    driven = jax.tree.map(lambda leaf: leaf[actors.scene], shown)

    def rolled(policy: Partial, *, keep: bool) -> Any:
        steps = replace(drive, steps=how.sequence, keep_observations=keep)
        made = rollout(driven, policy, key, spec=steps, states=actors.state).transitions
        return made.observation if keep else made.reward

    blind = Partial(lambda view, key: Decision(jax.random.randint(key, (2,), 10, 20)))
    seeing = Partial(
        lambda view, key: Decision(jnp.int32(15) + jnp.int32(0 * view.observation.ego[:2]), view.observation)
    )
    thinking = exploring(network, parameters, actions=drive.actions)
    return {
        "simulator": partial(rolled, blind, keep=False),
        "simulator, observation": partial(rolled, seeing, keep=True),
        "simulator, observation, inference": partial(rolled, thinking, keep=True),
        "acting": lambda: acting(shown, chance, actors, parameters, key)[1],
        "learning": lambda: learning(learner, lived, key)[0].parameters,
    }


def _least(work: Callable[[], Any]) -> float:
    """Milliseconds."""
    jax.block_until_ready(work())
    times = []
    for _ in range(5):
        began = time.perf_counter()
        jax.block_until_ready(work())
        times.append(time.perf_counter() - began)
    return 1e3 * min(times)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
