"""How well the noise guard tells bad recordings from few verdicts: on generated scenes, or on recorded ones.

    python tests/benchmarks/bench_guard.py [--scenes 160] [--recordings womd-json FOLDER]

A fifth of the scenes is damaged as `tests/damage.py` does it: tracks jump, the ego's recorder hangs, kinds are swapped.
People judge so many scenes, drawn at random; the guard learns from them and is tried on all others. Ten drawings.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from acquisition.guard import fit_rejections
from al_platform.datasets.scenarios.base import SourceScene
from al_platform.datasets.scenarios.formats import format_named
from sim.generator import scene
from sim.generator.spec import TAGS
from sim.preparing import prepare
from sim.recording import Recording
from sim.scenario import Sizes
from sim.signs import signs_of
from tests.damage import DAMAGE

EVERY = 5
VERDICTS = (20, 40, 80)
DRAWINGS = 10
LIMIT = 0.5
SIZES = Sizes(agents=128, steps=46, route_points=256, lanes=8, stops=16, roads=512, tiles=40, grid=32, listed=16)


def recorded(name: str, folder: Path) -> Iterator[Recording]:
    """Every scene of recorded traffic that can be read."""
    how = format_named(name)
    for source in how.sources(folder):
        yield from (each.recording for each in how.read(source) if isinstance(each, SourceScene))


def examples(recordings: Iterator[Recording]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Signs of all scenes, which are damaged, and which sound ones hold a hard situation."""
    signs, bad, hard = [], [], []
    for number, recording in enumerate(recordings):
        kind = list(DAMAGE)[number // EVERY % len(DAMAGE)] if number % EVERY == 0 else ""
        shown = DAMAGE[kind](recording, np.random.default_rng(number)) if kind else recording
        signs.append(signs_of(prepare(shown, SIZES).scenario.log))
        bad.append(bool(kind))
        hard.append(not kind and bool(set(TAGS) & set(recording.tags)))
    return np.array(signs), np.array(bad), np.array(hard)


def tried(signs: np.ndarray, bad: np.ndarray, hard: np.ndarray, count: int, seed: int) -> tuple[int, ...]:
    """Of scenes that nobody judged: suspected, rightly so, bad ones, sound hard ones, those suspected."""
    order = np.random.default_rng(seed).permutation(len(bad))
    judged, others = order[:count], order[count:]
    if not 0 < bad[judged].sum() < count:
        return (0,) * 5
    flagged = fit_rejections(signs[judged], bad[judged]).chances(signs[others]) >= LIMIT
    right, tough = flagged & bad[others], hard[others]
    return tuple(int(each.sum()) for each in (flagged, right, bad[others], tough, flagged & tough))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=160)
    parser.add_argument("--recordings", nargs=2, metavar=("FORMAT", "FOLDER"))
    given = parser.parse_args()
    if given.recordings:
        signs, bad, hard = examples(recorded(given.recordings[0], Path(given.recordings[1])))
    else:
        signs, bad, hard = examples(scene(0, number) for number in range(given.scenes))
    print(f"{len(bad)} scenes, {bad.sum()} damaged, {hard.sum()} sound and hard; {DRAWINGS} drawings")  # noqa: T201
    print("| verdicts | precision | recall | of sound hard scenes kept away |\n|---|---|---|---|")  # noqa: T201
    for count in (count for count in VERDICTS if count < len(bad)):
        counts = np.sum([tried(signs, bad, hard, count, seed) for seed in range(DRAWINGS)], axis=0)
        flagged, right, there, tough, kept_away = (max(int(each), 0) for each in counts)
        shares = (right / max(flagged, 1), right / max(there, 1), kept_away / max(tough, 1))
        print(f"| {count} | " + " | ".join(f"{share:.2f}" for share in shares) + " |")  # noqa: T201


if __name__ == "__main__":
    main()
