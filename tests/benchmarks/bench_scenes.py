"""Does it pay which scenes are added? Outcomes, actions, predicted failures and chance against each other.

    python tests/benchmarks/bench_scenes.py --store HOME/scenarios --out FOLDER [--seeds 5] [--report]

For each seed: an ensemble is cloned from START scenes drawn at random, scores the rest of the pool, each arm adds MORE
scenes, the ensemble is cloned anew from all of them and drives the frozen test (bench_policies tells the split), in
traffic that reacts. What the pool was scored with and what an arm came to lie in FOLDER, so a killed benchmark goes on
and another arm costs one more cloning. Writes FOLDER/scenes.json.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np
from drivers_judged import driven_values, interval, split_of
from numpy.typing import NDArray

from acquisition.round_robin import round_robin
from al_platform.domain.driving import PolicyModel
from al_platform.domain.policies import CloningRecipe, PolicySpec
from al_platform.policies.cloning import Cloning
from al_platform.policies.recipes import drivers_of, fresh_of, training_drive
from al_platform.policies.scenes import Scenes
from al_platform.policies.stored import Drivers
from al_platform.scoring.drives import measures_of
from al_platform.scoring.scenarios import BATCH, scene_batch

START, MORE = 100, 100
SPEC = PolicySpec(members=4, cloning=CloningRecipe(updates=800, updates_a_draw=100, evaluate_every=100))
RARE = ("red-light-runner", "stopped-car", "jaywalker", "oncoming-overtake", "cut-in")
MODEL = PolicyModel("benchmark")
EVENTS = ("collision", "off_route", "red_light")
ARMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "outcome": ("mi_sum", (*EVENTS, "progress")),
    "action": ("mi_sum", ("action",)),
    "failure": ("mass_sum", EVENTS),
    "random": ("", ()),
    "events": ("mi_sum", EVENTS),
}
"""Of each arm the measure and the classes that take turns; new ones come last, for chance is dealt in this order."""
_LEVELS = ("none", "some", "all")


def main() -> None:
    asked = _asked()
    asked.out.mkdir(parents=True, exist_ok=True)
    parts = split_of(str(asked.store))
    if not asked.report:
        for seed in range(asked.seeds):
            run_seed(asked.out, parts, seed)
    report(asked.out, parts)


def run_seed(out: Path, parts: Mapping[str, Scenes], seed: int) -> None:
    """Every arm of one seed."""
    pool, generator = parts["train"], np.random.default_rng(seed)
    start = generator.choice(len(pool), START, replace=False)
    rest = np.setdiff1d(np.arange(len(pool)), start)
    measures = _measures(out, parts, start=start, rest=rest, seed=seed)
    picks = {arm: picked_by(arm, measures, rest, generator) for arm in ARMS}
    for arm, picked in picks.items():
        path = out / f"{arm}-{seed}.json"
        if path.exists():
            continue
        again = cloned(pool, np.concatenate([start, picked]), seed + 1000)
        tags = Counter(tag for number in picked for tag in pool.store.tags[pool.rows[number]])
        _keep(path, failed=driven(again, parts["test"]), picked=[pool.ids[number] for number in picked], tags=tags)


def _measures(
    out: Path, parts: Mapping[str, Scenes], *, start: NDArray[np.int64], rest: NDArray[np.int64], seed: int
) -> Mapping[str, NDArray[Any]]:
    """Each measure of the scenes that can be added, [N, K], by an ensemble that knows those of the start alone."""
    path = _pool_path(out, seed)
    if not path.exists():
        first = cloned(parts["train"], start, seed)
        _keep(out / f"start-{seed}.json", failed=driven(first, parts["test"]), picked=[], tags={})
        measures, seconds = scored(first, parts["train"], rest)
        _say(f"scored {len(rest) / seconds:.1f} scenes a second, {SPEC.members} drivers")
        kept: dict[str, Any] = {"ids": np.array([parts["train"].ids[number] for number in rest]), **measures}
        np.savez(path, **kept)
    return dict(np.load(path))


def cloned(pool: Scenes, numbers: NDArray[np.int64], seed: int) -> Drivers:
    """An ensemble that knows these scenes alone."""
    assert SPEC.cloning is not None
    key = jax.random.key(seed)
    own = Scenes(
        tuple(pool.ids[number] for number in numbers),
        pool.store,
        tuple(pool.rows[number] for number in numbers),
        np.ones(len(numbers)),
    )
    course = Cloning(SPEC, SPEC.cloning, own, jax.random.fold_in(key, 1))
    state = course.begun(fresh_of(SPEC, jax.random.fold_in(key, 0)))
    while int(state.step) < course.steps:
        state, _ = course.go_on(state, course.stretch)
    return drivers_of(SPEC, state.learners.learned)


def scored(drivers: Drivers, pool: Scenes, numbers: NDArray[np.int64]) -> tuple[dict[str, NDArray[Any]], float]:
    """Each measure of these scenes, [N, K], and the seconds that it took."""
    began, ids = time.monotonic(), [pool.ids[number] for number in numbers]
    chunks = [ids[first : first + BATCH] for first in range(0, len(ids), BATCH)]
    found = [
        {name: values[: len(chunk)] for name, values in measures_of(drivers, MODEL, batch).items()}
        for chunk in chunks
        for batch in [scene_batch(pool.store, chunk, (), size=BATCH)]
    ]
    return {name: np.concatenate([part[name] for part in found]) for name in found[0]}, time.monotonic() - began


def picked_by(
    arm: str, measures: Mapping[str, NDArray[Any]], numbers: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """The scenes that an arm adds. Ties are broken by chance."""
    measure, classes = ARMS[arm]
    if not measure:
        return generator.choice(numbers, MORE, replace=False)
    columns = [MODEL.classes.index(name) for name in classes]
    order = generator.permutation(len(numbers))
    picks, _ = round_robin(measures[measure][:, columns].astype(np.float64), MORE, order=order)
    return numbers[picks]


def driven(drivers: Drivers, test: Scenes) -> list[list[float]]:
    """Whether each driver failed in each scene of the test, [M][N]."""
    drive = training_drive(SPEC)
    return [
        [float(failed) for failed in driven_values(drivers, number, test, drive=drive)["failure"]]
        for number in range(drivers.members)
    ]


def report(out: Path, parts: Mapping[str, Scenes]) -> None:
    """Failures of every arm, its paired difference from chance, and the rare situations that it found."""
    test, tables = parts["test"], {}
    rare = np.array([bool(set(test.store.tags[row]) & set(RARE)) for row in test.rows])
    found = {arm: [json.loads(path.read_text()) for path in _of(out, arm)] for arm in ("start", *ARMS)}
    seeds = min(len(runs) for runs in found.values())
    failed = {arm: np.array([np.mean(run["failed"], axis=0) for run in runs[:seeds]]) for arm, runs in found.items()}
    for arm, values in failed.items():
        rares = [sum(run["tags"].get(tag, 0) for tag in RARE) for run in found[arm][:seeds] if "tags" in run]
        tables[arm] = {
            "failure": interval(values),
            "failure in rare situations": interval(values[:, rare]),
            "against chance": interval(values - failed["random"]),
            "against chance in rare situations": interval((values - failed["random"])[:, rare]),
            "rare situations found": rares,
            "picks by whom it befell": _fared(out, found[arm][:seeds]),
            "failure by who failed before": _by_who(failed["start"], values),
        }
    content = {"seeds": seeds, "start": START, "more": MORE, "test": len(test), "rare in test": int(rare.sum())}
    (out / "scenes.json").write_text(json.dumps({**content, "arms": tables}, indent=1))
    for arm, table in tables.items():
        _say(f"{arm:8} {table}")


def _fared(out: Path, runs: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many of the picks of all seeds had an event that befell none, some and all of the drivers that scored it."""
    told: Counter[str] = Counter()
    for seed, run in enumerate(runs):
        pool = np.load(_pool_path(out, seed))
        worst = pool["mass_sum"][:, [MODEL.classes.index(name) for name in EVENTS]].max(axis=1)
        levels = dict(zip(pool["ids"].tolist(), worst.tolist(), strict=True))
        told.update(_level(levels[name]) for name in run["picked"])
    return {level: told[level] for level in _LEVELS}


def _by_who(before: NDArray[Any], values: NDArray[Any]) -> dict[str, float]:
    """Failures in the scenes of the test in which none, some and all drivers of the start failed."""
    levels = np.vectorize(_level)(before)
    return {level: float(values[levels == level].mean()) for level in _LEVELS}


def _level(share: float) -> str:
    return _LEVELS[int(share > 0.0) + int(share == 1.0)]


def _of(out: Path, arm: str) -> Sequence[Path]:
    return sorted(out.glob(f"{arm}-*.json"), key=lambda path: int(path.stem.rsplit("-", 1)[1]))


def _keep(path: Path, *, failed: list[list[float]], picked: list[str], tags: Mapping[str, int]) -> None:
    path.write_text(json.dumps({"failed": failed, "picked": picked, "tags": tags}))
    _say(f"{path.name} failures {np.mean(failed):.3f} {dict(tags)}")


def _pool_path(out: Path, seed: int) -> Path:
    return out / f"pool-{seed}.npz"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--report", action="store_true", help="Only write the table of what is there")
    return parser.parse_args()


if __name__ == "__main__":
    main()
