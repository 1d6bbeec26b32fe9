"""Cloning, then practice, against practice alone at equal steps, on scenes that neither has seen.

    python tests/benchmarks/bench_policies.py --store HOME/scenarios --out FOLDER [--seeds 0 1 2] [--arm ARM] [--report]

Generated scenes of seed 0 are split by their number: 0 to 1199 to learn from, 1200 to 1399 to look at while the recipe
was chosen, from 1400 on the frozen test, to which all of other seeds belong; recorded ones are split by session. An
arm that is done is not run again, a killed one goes on; without `--arm` all of them run one after the other. Writes
FOLDER/policies.json and FOLDER/curves.png of the arms that all seeds have. Each stage of practice draws scenes in which
the policy before it failed more often. Alone it makes as many steps as all stages.
"""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
from drivers_judged import cut, driven_values, interval, split_of

from al_platform.domain.policies import CloningRecipe, CurvePoint, PolicySpec, PracticeRecipe
from al_platform.domain.progress import Progress
from al_platform.policies.curve import Curve, GrowingCurve, read_curve, write_curve
from al_platform.policies.measuring import hard_first
from al_platform.policies.pictures import draw_curves
from al_platform.policies.recipes import drivers_of, fresh_of, network_of, training_drive
from al_platform.policies.running import Kept, run_course
from al_platform.policies.scenes import Scenes
from al_platform.policies.stored import Drivers, read_drivers, write_drivers
from al_platform.policies.worker import course_of, measured_by
from al_platform.storage.blobs import BlobStore
from al_platform.storage.checkpoints import OrbaxCheckpoints
from sim.networks import Parameters

HARD = 10.0
ARMS = {"clone": "", "practice-1": "clone", "practice-2": "practice-1", "practice-3": "practice-2", "alone": ""}
"""What each arm goes on from."""
STAGES = [arm for arm in ARMS if arm.startswith("practice")]
TRAFFIC = {"in traffic that reacts": True, "among replays": False}


def main() -> None:
    asked = _asked()
    parts = split_of(str(asked.store))
    for seed in asked.seeds if not asked.report else ():
        for arm in [asked.arm] if asked.arm else ARMS:
            run_arm(asked, parts, arm, seed=seed)
    if asked.report or not asked.arm:
        report(asked, parts)


def spec_of(asked: argparse.Namespace, arm: str) -> PolicySpec:
    """The frozen recipes."""
    plain = PolicySpec(cloning=CloningRecipe(updates=asked.updates))
    if arm == "clone":
        return plain
    practice = PracticeRecipe(iterations=asked.iterations, hard=HARD)
    # Alone there is nothing to stay close to.
    alone = replace(practice, cloned=0.0, hard=1.0, iterations=len(STAGES) * asked.iterations)
    return replace(plain, cloning=None, practice=alone if arm == "alone" else practice)


def run_arm(asked: argparse.Namespace, parts: Mapping[str, Scenes], arm: str, *, seed: int) -> None:
    """Train one policy, with its curve on the validation scenes; one that is there is left as it is."""
    folder = asked.out / f"seed-{seed}"
    if (folder / f"{arm}.json").exists():
        return
    spec, key, started, cpu = spec_of(asked, arm), jax.random.key(seed), time.monotonic(), time.process_time()
    first, scenes = _begun(asked, arm, seed, scenes=parts["train"])
    state, curve = run_course(
        course_of(spec, scenes, jax.random.fold_in(key, 1)),
        first,
        kept=Kept(OrbaxCheckpoints(folder / "runs" / arm, every_s=60.0), GrowingCurve(folder / f"{arm}.curve.json")),
        measure=partial(measured_by, spec, parts["validation"]),
        diverged=lambda step, ids: f"{step}: {ids}",
        report=_Told(f"seed {seed} {arm}"),
    )
    found = {
        "weights": write_drivers(_blobs(asked, seed), drivers_of(spec, state.learners.learned)),
        "curve": write_curve(_blobs(asked, seed), curve),
        "spec": asdict(spec),
        "agent_steps": state.agent_steps,
        "seconds": time.monotonic() - started,
        "cpu_seconds": time.process_time() - cpu,
    }
    (folder / f"{arm}.json").write_text(json.dumps(found, indent=1))


def _begun(asked: argparse.Namespace, arm: str, seed: int, *, scenes: Scenes) -> tuple[Parameters, Scenes]:
    """The drivers that an arm goes on from, or fresh ones, and the scenes as it draws them."""
    spec = spec_of(asked, arm)
    if not ARMS[arm]:
        return fresh_of(spec, jax.random.fold_in(jax.random.key(seed), 0)), scenes
    first, drive = _drivers(asked, ARMS[arm], seed).parameters, training_drive(spec)
    return first, hard_first(scenes, first, network_of(spec), hard=HARD, members=spec.members, drive=drive)


class _Told:
    """A line every ten seconds."""

    def __init__(self, arm: str) -> None:
        self._arm, self._at = arm, 0.0

    def __call__(self, progress: Progress) -> None:
        if time.monotonic() - self._at > 10.0 or progress.done == progress.total:
            self._at = time.monotonic()
            _say(f"{self._arm} {progress.done}/{progress.total} {progress.note}")


def report(asked: argparse.Namespace, parts: Mapping[str, Scenes]) -> None:
    """Judge every arm that all seeds have done on the frozen test, and draw the curves."""
    arms = [arm for arm in ARMS if all((asked.out / f"seed-{seed}" / f"{arm}.json").exists() for seed in asked.seeds)]
    tables = {arm: {traffic: judged(asked, arm, parts["test"], traffic=traffic) for traffic in TRAFFIC} for arm in arms}
    for arm, traffic in ((arm, traffic) for arm in arms for traffic in TRAFFIC):
        tables[arm][traffic]["cut"] = cut(tables["clone"][traffic]["failed"], tables[arm][traffic]["failed"])
    content = {
        "devices": [str(device) for device in jax.devices()],
        "scenes": {part: len(scenes) for part, scenes in parts.items()},
        "seeds": list(asked.seeds),
        "trainings": {arm: [_known(asked, arm, seed) for seed in asked.seeds] for arm in arms},
        "arms": tables,
    }
    (asked.out / "policies.json").write_text(json.dumps(content, indent=1))
    (asked.out / "curves.png").write_bytes(draw_curves(_curves(asked, arms), kind="png"))
    for arm, traffic in ((arm, traffic) for arm in arms for traffic in TRAFFIC):
        table = tables[arm][traffic]
        _say(f"{arm} {traffic} { ({name: _percent(three) for name, three in table['measures'].items()}) }")
        _say(f"   failures by seed {_percent(table['by seed'])}, cut by {_percent(table['cut'])}")
        _say(f"   worst {table['strata'][:4]}")


def judged(asked: argparse.Namespace, arm: str, scenes: Scenes, *, traffic: str) -> dict[str, Any]:
    """Each measure with the interval of a bootstrap over seeds and scenes; failures and progress by tag, the worst
    first."""
    drive = replace(training_drive(spec_of(asked, "clone")), reactive=TRAFFIC[traffic])
    runs = [driven_values(_drivers(asked, arm, seed), 0, scenes, drive=drive) for seed in asked.seeds]
    values = {name: np.stack([run[name] for run in runs]) for name in runs[0]}
    tags: dict[str, list[int]] = {}
    for number, row in enumerate(scenes.rows):
        for tag in scenes.store.tags[row] or ("recorded",):
            tags.setdefault(tag, []).append(number)
    strata = [
        (float(values["failure"][:, own].mean()), tag, len(own), float(np.nanmean(values["progress_ratio"][:, own])))
        for tag, own in tags.items()
    ]
    return {
        "measures": {name: interval(value) for name, value in values.items()},
        "strata": sorted(strata, reverse=True),
        "by seed": values["failure"].mean(axis=1).tolist(),
        "failed": values["failure"].tolist(),
    }


def _curves(asked: argparse.Namespace, arms: Sequence[str]) -> dict[str, Curve]:
    """The mean curve of each way to learn; a stage goes on where the one before it ended."""
    stages = [_mean_curve(asked, arm) for arm in STAGES if arm in arms]
    ends = itertools.accumulate((stage.points[-1].agent_steps for stage in stages), initial=0)
    later = (
        replace(point, agent_steps=point.agent_steps + steps)
        for stage, steps in zip(stages, ends, strict=False)
        for point in stage.points
    )
    alone = {"practice alone": _mean_curve(asked, "alone")} if "alone" in arms else {}
    return {f"cloning, then {len(stages)} x practice": Curve(tuple(later)), **alone}


def _mean_curve(asked: argparse.Namespace, arm: str) -> Curve:
    curves = [_curve(asked, arm, seed).points for seed in asked.seeds]
    return Curve(tuple(_mean_point(points) for points in zip(*curves, strict=True)))


def _mean_point(points: Sequence[CurvePoint]) -> CurvePoint:
    measures = {name: float(np.mean([point.measures[name] for point in points])) for name in points[0].measures}
    steps = round(float(np.mean([point.agent_steps for point in points])))
    return CurvePoint(points[0].step, steps, measures, {})


def _drivers(asked: argparse.Namespace, arm: str, seed: int) -> Drivers:
    return read_drivers(_blobs(asked, seed), _known(asked, arm, seed)["weights"])


def _curve(asked: argparse.Namespace, arm: str, seed: int) -> Curve:
    return read_curve(_blobs(asked, seed), _known(asked, arm, seed)["curve"])


def _known(asked: argparse.Namespace, arm: str, seed: int) -> dict[str, Any]:
    known: dict[str, Any] = json.loads((asked.out / f"seed-{seed}" / f"{arm}.json").read_text())
    return known


def _blobs(asked: argparse.Namespace, seed: int) -> BlobStore:
    return BlobStore(str(asked.out / f"seed-{seed}" / "blobs"))


def _percent(values: Sequence[float]) -> list[float]:
    return [round(100.0 * value, 1) for value in values]


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--arm", choices=list(ARMS), default="", help="Train this one only, and report nothing")
    parser.add_argument("--report", action="store_true", help="Only judge what is there")
    parser.add_argument("--updates", type=int, default=CloningRecipe().updates)
    parser.add_argument("--iterations", type=int, default=PracticeRecipe().iterations)
    return parser.parse_args()


if __name__ == "__main__":
    main()
