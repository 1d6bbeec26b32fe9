"""Cloning, then practice, against practice alone at equal steps, on scenes that neither has seen; and where time goes.

    python tests/benchmarks/bench_policies.py --store HOME/scenarios --out FOLDER [--arm ARM]

Generated scenes of seed 0 are split by their number: 0 to 1199 to learn from, 1200 to 1399 to look at while the recipe
was chosen, from 1400 on the frozen test, to which all of other seeds belong; recorded ones are split by session. An
arm that is done is not run again, a killed one goes on; without `--arm` all of them run one after the other. Writes
FOLDER/policies.json and FOLDER/curves.png. Practice after cloning draws scenes in which the clone failed more often,
and practice again, from what came of it, those in which that one still fails. Alone it makes as many steps as both.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from drivers_judged import cut, driven_values, interval, split_of
from jax.tree_util import Partial

from al_platform.domain.policies import CloningRecipe, PolicySpec, PracticeRecipe
from al_platform.domain.progress import Progress
from al_platform.policies.cloning import Cloning
from al_platform.policies.course import Course, CourseState
from al_platform.policies.curve import Curve, GrowingCurve, read_curve, write_curve
from al_platform.policies.measuring import hard_first, measured
from al_platform.policies.pictures import draw_curves
from al_platform.policies.practice import Practice
from al_platform.policies.recipes import improve_spec, network_of, training_drive
from al_platform.policies.running import Kept, run_course
from al_platform.policies.scenes import Scenes
from al_platform.policies.stored import Drivers, fresh_parameters, read_drivers, write_drivers
from al_platform.storage.blobs import BlobStore
from al_platform.storage.checkpoints import OrbaxCheckpoints
from sim.drivers import Decision
from sim.learning.driving import exploring
from sim.learning.improving import act, learn, start
from sim.learning.state import begin
from sim.rolling import rollout

HARD = 10.0
TRAFFIC = {"in traffic that reacts": True, "among replays": False}


def main() -> None:
    asked = _asked()
    asked.out.mkdir(parents=True, exist_ok=True)
    parts = split_of(str(asked.store))
    arms: dict[str, Callable[[], None]] = {
        "clone": partial(run_arm, asked, parts, "clone"),
        "practised": partial(run_arm, asked, parts, "practised", parent="clone"),
        "again": partial(run_arm, asked, parts, "again", parent="practised"),
        "alone": partial(run_arm, asked, parts, "alone"),
        "report": partial(report, asked, parts),
    }
    for name in [asked.arm] if asked.arm else arms:
        arms[name]()


def spec_of(asked: argparse.Namespace, arm: str) -> PolicySpec:
    """The frozen recipes."""
    plain = PolicySpec(cloning=CloningRecipe(updates=asked.updates))
    if arm == "clone":
        return plain
    practice = PracticeRecipe(iterations=asked.iterations, hard=HARD)
    # Alone there is nothing to stay close to.
    alone = replace(practice, cloned=0.0, hard=1.0, iterations=2 * asked.iterations)
    return replace(plain, cloning=None, practice=alone if arm == "alone" else practice)


def run_arm(asked: argparse.Namespace, parts: Mapping[str, Scenes], arm: str, *, parent: str = "") -> None:
    """Train one policy, with its curve on the validation scenes."""
    if (asked.out / f"{arm}.json").exists():
        return
    spec, key, started, cpu = spec_of(asked, arm), jax.random.key(asked.seed), time.monotonic(), time.process_time()
    drive, blobs = training_drive(spec), BlobStore(str(asked.out / "blobs"))
    scenes = parts["train"]
    if parent:
        clone = read_drivers(blobs, json.loads((asked.out / f"{parent}.json").read_text())["weights"])
        first = clone.parameters
        scenes = hard_first(scenes, first, network_of(spec), hard=HARD, members=spec.members, drive=drive)
    else:
        keys = jax.random.split(jax.random.fold_in(key, 0), spec.members)
        first = fresh_parameters(network_of(spec), keys, actions=drive.actions, observation=drive.observation)
    course, kept = _course(spec, scenes, jax.random.fold_in(key, 1)), _kept(asked, arm)
    if asked.so_far:
        state = kept.restored(course.begun(first))
        _keep(asked, arm, state, curve=kept.curve.read().until(int(state.step)))
        return
    state, curve = run_course(
        course,
        first,
        kept=kept,
        measure=lambda own: measured(own, network_of(spec), parts["validation"], members=1, drive=drive),
        diverged=lambda step, ids: f"{step}: {ids}",
        report=_Told(arm),
    )
    _keep(asked, arm, state, curve=curve, seconds=time.monotonic() - started, cpu_seconds=time.process_time() - cpu)


def _kept(asked: argparse.Namespace, arm: str) -> Kept:
    runs = asked.out / "runs" / arm
    return Kept(OrbaxCheckpoints(runs, every_s=60.0), GrowingCurve(runs.with_name(f"{arm}.curve.json")))


def _keep(asked: argparse.Namespace, arm: str, state: CourseState, *, curve: Curve, **more: float) -> None:
    spec, blobs = spec_of(asked, arm), BlobStore(str(asked.out / "blobs"))
    drive = training_drive(spec)
    drivers = Drivers(network_of(spec), state.learners.learned, drive.actions, drive.observation)
    found = {
        "weights": write_drivers(blobs, drivers),
        "curve": write_curve(blobs, curve),
        "spec": asdict(spec),
        "steps": int(state.step),
        "agent_steps": state.agent_steps,
        **more,
    }
    (asked.out / f"{arm}.json").write_text(json.dumps(found, indent=1))


class _Told:
    """A line every ten seconds."""

    def __init__(self, arm: str) -> None:
        self._arm, self._at = arm, 0.0

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() - self._at > 10.0 or progress.done == progress.total:
            self._at = time.monotonic()
            _say(f"{self._arm} {progress.done}/{progress.total} {progress.note}")


def _course(spec: PolicySpec, scenes: Scenes, key: jax.Array) -> Course:
    if spec.cloning is not None:
        return Cloning(spec, spec.cloning, scenes, key)
    assert spec.practice is not None
    return Practice(spec, spec.practice, scenes, key)


def report(asked: argparse.Namespace, parts: Mapping[str, Scenes]) -> None:
    """Judge every arm on the frozen test, and draw the curves."""
    blobs, tables, curves = BlobStore(str(asked.out / "blobs")), {}, dict[str, Curve]()
    for arm in ("clone", "practised", "again", "alone"):
        told = asked.out / f"{arm}.json"
        if told.exists():
            known = json.loads(told.read_text())
            drivers = read_drivers(blobs, known["weights"])
            tables[arm] = {
                **known,
                **{
                    traffic: judged(drivers, parts["test"], asked, reactive=reactive)
                    for traffic, reactive in TRAFFIC.items()
                },
            }
            curves[arm] = read_curve(blobs, known["curve"])
    for traffic in TRAFFIC:
        for arm in set(tables) - {"clone"}:
            tables[arm][traffic]["cut"] = cut(tables["clone"][traffic]["failed"], tables[arm][traffic]["failed"])
    content = {
        "devices": [str(device) for device in jax.devices()],
        "scenes": {part: len(scenes) for part, scenes in parts.items()},
        "arms": tables,
        "profile": profile(asked, parts["train"]),
    }
    (asked.out / "policies.json").write_text(json.dumps(content, indent=1))
    names = {"practised": "cloning, then practice", "again": "and practice again", "alone": "practice alone"}
    shifted = {names[arm]: curve for arm, curve in curves.items() if arm != "clone"}
    (asked.out / "curves.png").write_bytes(draw_curves(shifted, kind="png"))
    for arm, table in tables.items():
        for traffic in TRAFFIC:
            measures = table[traffic]["measures"]
            shown = {name: [round(100 * value, 1) for value in three] for name, three in measures.items()}
            _say(f"{arm} {traffic} {shown}")
            _say(f"   worst {table[traffic]['strata'][:4]}, failures cut by {table[traffic].get('cut')}")
    _say(json.dumps(content["profile"], indent=1))


def judged(drivers: Drivers, scenes: Scenes, asked: argparse.Namespace, *, reactive: bool) -> dict[str, Any]:
    """Each measure with the interval of a bootstrap over scenes, and failures by tag, the worst first."""
    drive = replace(training_drive(spec_of(asked, "clone")), reactive=reactive)
    values = driven_values(drivers, 0, scenes, drive=drive)
    tags: dict[str, list[float]] = {}
    for row, failed in zip(scenes.rows, values["failure"], strict=True):
        for tag in scenes.store.tags[row] or ("recorded",):
            tags.setdefault(tag, []).append(failed)
    strata = sorted(((float(np.mean(own)), tag, len(own)) for tag, own in tags.items()), reverse=True)
    return {
        "measures": {name: interval(value) for name, value in values.items()},
        "strata": strata,
        "failed": values["failure"].tolist(),
    }


def profile(asked: argparse.Namespace, scenes: Scenes) -> dict[str, float]:
    """Milliseconds of the parts of an iteration, the least of five."""
    spec = spec_of(asked, "alone")
    assert spec.practice is not None
    drive, how, network = training_drive(spec), improve_spec(spec.practice), network_of(spec)
    shown = jax.device_put(scenes.load(range(min(256, len(scenes)))))
    chance = jnp.full(shown.log.steps.shape[0], 1.0 / shown.log.steps.shape[0])
    keys = jax.random.split(jax.random.key(0), 1)
    parameters = jax.tree.map(
        lambda leaf: leaf[0], fresh_parameters(network, keys, actions=drive.actions, observation=drive.observation)
    )
    actors = start(shown, chance, keys[0], spec=how, drive=drive)
    driven = jax.tree.map(lambda leaf: jnp.asarray(leaf)[actors.scene], shown)
    blind = Partial(lambda view, key: Decision(jax.random.randint(key, (2,), 10, 20)))
    seeing = Partial(
        lambda view, key: Decision(jnp.int32(15) + jnp.int32(0 * view.observation.ego[:2]), view.observation)
    )
    steps = replace(drive, steps=how.sequence)
    acting = jax.jit(partial(act, network=network, spec=how, drive=drive))
    _, lived, _ = acting(shown, chance, actors, parameters, keys[0])
    learner = begin(parameters, how.optimiser)
    learning = jax.jit(partial(learn, network=network, counts=drive.actions.counts, spec=how))
    thinking = exploring(network, parameters, actions=drive.actions)
    timed = {
        "simulator": lambda: rollout(driven, blind, keys[0], spec=steps, states=actors.state).transitions.reward,
        "simulator, observation": lambda: (
            rollout(
                driven, seeing, keys[0], spec=replace(steps, keep_observations=True), states=actors.state
            ).transitions.observation
        ),
        "simulator, observation, inference": lambda: (
            rollout(
                driven, thinking, keys[0], spec=replace(steps, keep_observations=True), states=actors.state
            ).transitions.observation
        ),
        "acting": lambda: acting(shown, chance, actors, parameters, keys[0])[1],
        "learning": lambda: learning(learner, lived, keys[0])[0].parameters,
    }
    found = {name: _least(work) for name, work in timed.items()}
    return {**found, "steps": float(how.scenes * how.sequence)}


def _least(work: Callable[[], Any]) -> float:
    jax.block_until_ready(work())
    times = []
    for _ in range(5):
        began = time.perf_counter()
        jax.block_until_ready(work())
        times.append(time.perf_counter() - began)
    return 1e3 * min(times)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--arm", choices=["clone", "practised", "again", "alone", "report"], default="")
    parser.add_argument("--updates", type=int, default=CloningRecipe().updates)
    parser.add_argument("--iterations", type=int, default=PracticeRecipe().iterations)
    parser.add_argument("--so-far", action="store_true", help="Take an arm as its newest checkpoint has it")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main()
