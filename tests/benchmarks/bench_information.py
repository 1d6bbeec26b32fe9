"""How fast frames are scored: our forms against textbook ones, baal, and reading the logits once.

    python tests/benchmarks/bench_information.py [--rival-python PATH]

PATH is an interpreter that has baal; it is then timed on the same logits in the same run. Every figure is the
minimum of several passes over the same logits in chunks, and all forms take turns within a pass, so that
their ratios mean something on a busy machine too. Memory is the peak above what the process held before.
"""

import argparse
import ctypes
import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import xlogy as jax_xlogy
from scipy.special import xlogy
from scipy.stats import spearmanr

from acquisition import frame_bounds, frame_measures, frame_scores, ranking_mutual_information, top_frames
from acquisition.reductions import mean_over_cells

MEMBERS, FRAMES, CLASSES, ROWS, COLUMNS = 8, 2_000, 5, 32, 32
CHUNK, TEXTBOOK_CHUNK = 50, 5
SLOW_CHUNKS = 4  # What is slow is timed on the first of the chunks.
PASSES = 5
TOP = FRAMES // 100
OBJECTS_PER_FRAME = np.array([3.0, 1.5, 0.7, 0.3, 0.1])  # Of each class.
WIDE = {"xla_cpu_prefer_vector_width": 512}
RIVAL = Path(__file__).parent / "rivals" / "baal_information.py"
M_MMAP_THRESHOLD = -3  # Of malloc.h.
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def some_logits() -> list[np.ndarray]:
    """Mostly background; a Poisson number of objects, each a blob on which members differ by its difficulty."""
    rng = np.random.default_rng(0)
    return [_chunk_of_logits(rng) for _ in range(FRAMES // CHUNK)]


def _chunk_of_logits(rng: np.random.Generator) -> np.ndarray:
    shape = (CHUNK, CLASSES, ROWS, COLUMNS)
    centre, scatter = np.full(shape, -6.0), np.full(shape, 0.3)
    for frame, klass in np.ndindex(shape[:2]):
        for _ in range(rng.poisson(OBJECTS_PER_FRAME[klass])):
            row, column = rng.integers(ROWS), rng.integers(COLUMNS)
            size = rng.integers(1, 5)
            box = (frame, klass, slice(row, row + size), slice(column, column + size))
            centre[box], scatter[box] = rng.normal(1.0, 2.5), rng.lognormal(-0.5, 0.7)
    return (centre + scatter * rng.standard_normal((MEMBERS, *shape), dtype=np.float32)).astype(np.float32)


def textbook_numpy(logits: np.ndarray) -> np.ndarray:
    """H of the mean minus the mean of H, as the books write it."""
    p = 1.0 / (1.0 + np.exp(-logits))
    m = p.mean(axis=0)
    entropy_of_mean = -xlogy(m, m) - xlogy(1 - m, 1 - m)
    return (entropy_of_mean - (-xlogy(p, p) - xlogy(1 - p, 1 - p)).mean(axis=0)).mean(axis=(-2, -1))


def textbook_numpy_in_small_chunks(logits: np.ndarray) -> np.ndarray:
    """The same with intermediates small enough for the cache."""
    starts = range(0, logits.shape[1], TEXTBOOK_CHUNK)
    return np.concatenate([textbook_numpy(logits[:, start : start + TEXTBOOK_CHUNK]) for start in starts])


def textbook_jax(logits: jax.Array) -> jax.Array:
    """The same formula, left to the compiler."""
    p = jax.nn.sigmoid(logits)
    m = p.mean(axis=0)
    entropy_of_mean = -jax_xlogy(m, m) - jax_xlogy(1 - m, 1 - m)
    return (entropy_of_mean - (-jax_xlogy(p, p) - jax_xlogy(1 - p, 1 - p)).mean(axis=0)).mean(axis=(-2, -1))


def ranking(logits: jax.Array) -> jax.Array:
    """Map means of the ranking form."""
    cells = logits.reshape(MEMBERS, -1, ROWS * COLUMNS)
    return mean_over_cells(ranking_mutual_information(cells)).reshape(-1, CLASSES)


def read_once(logits: jax.Array) -> jax.Array:
    """As little as can be done with every logit."""
    return logits.reshape(-1, ROWS * COLUMNS) @ jnp.ones(ROWS * COLUMNS, logits.dtype)


Pass = Callable[[], object]


def over(score: Callable[..., object], chunks: Sequence[object]) -> Pass:
    """One pass of a form over all chunks."""
    return lambda: jax.block_until_ready([score(chunk) for chunk in chunks])


def passes(host: list[np.ndarray]) -> dict[str, tuple[Pass, int]]:
    """Name -> one pass, and the number of frames it scores."""
    device = [jax.device_put(chunk) for chunk in host]
    large = [jnp.concatenate(device[i : i + 5], axis=1) for i in range(0, len(device), 5)]
    half = [chunk.astype(jnp.bfloat16) for chunk in device]
    slow = host[:SLOW_CHUNKS]
    few, some = CHUNK * SLOW_CHUNKS, FRAMES
    return {
        "read once": (over(jax.jit(read_once), device), some),
        "exact": (over(jax.jit(frame_scores), device), some),
        "exact, 512-bit vectors": (over(jax.jit(frame_scores, compiler_options=WIDE), device), some),
        "ranking": (over(jax.jit(ranking), device), some),
        "ranking, 512-bit": (over(jax.jit(ranking, compiler_options=WIDE), device), some),
        "ranking, bf16": (over(jax.jit(ranking), half), some),
        "ranking, bf16, 512-bit": (over(jax.jit(ranking, compiler_options=WIDE), half), some),
        "bound, 512-bit": (over(jax.jit(frame_bounds, compiler_options=WIDE), device), some),
        "top 1 %, pruned": (lambda: top_frames(device, TOP), some),
        "top 1 %, pruned, batch 250": (lambda: top_frames(large, TOP), some),
        "frame_measures": (over(jax.jit(frame_measures), device), some),
        "frame_measures, 512-bit": (over(jax.jit(frame_measures, compiler_options=WIDE), device), some),
        "textbook, jax.jit": (over(jax.jit(textbook_jax), device[:SLOW_CHUNKS]), few),
        "textbook, numpy, 5 frames": (over(textbook_numpy_in_small_chunks, slow), few),
        "textbook, numpy, 50 frames": (over(textbook_numpy, slow), few),
    }


def return_freed_memory() -> None:
    """Have blocks given back as soon as they are freed, or a second peak hides in what the first left.

    Makes whatever needs large blocks slower, so memory is measured in a process that times nothing.
    """
    if platform.system() == "Linux":
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1 << 16)


def kilobytes(field: str) -> float:
    """A figure of this process's memory; NaN where the system does not tell."""
    if not STATUS.exists():
        return np.nan
    lines = STATUS.read_text().splitlines()
    return float(next(line for line in lines if line.startswith(field)).split()[1])


def peak_megabytes(one_pass: Pass) -> float:
    """Peak of the process's memory during a pass, above what it held before."""
    before = kilobytes("VmRSS")
    if RESET.exists():
        RESET.write_text("5")
    one_pass()
    return (kilobytes("VmHWM") - before) / 1e3


def peaks(forms: dict[str, tuple[Pass, int]]) -> dict[str, float]:
    """Name -> peak megabytes of a second pass, when all is compiled."""
    for one_pass, _ in forms.values():
        one_pass()
    return {name: peak_megabytes(one_pass) for name, (one_pass, _) in forms.items()}


def costs(forms: dict[str, tuple[Pass, int]]) -> dict[str, list[float]]:
    """Name -> seconds a frame, the least of all passes, and peak megabytes."""
    memory = json.loads(subprocess.check_output([sys.executable, __file__, "--peaks"], text=True))
    for one_pass, _ in forms.values():
        one_pass()
    best = dict.fromkeys(forms, np.inf)
    for _ in range(PASSES):
        for name, (one_pass, frames) in forms.items():
            start = time.perf_counter()
            one_pass()
            best[name] = min(best[name], (time.perf_counter() - start) / frames)
    return {name: [best[name], memory[name]] for name in forms}


def costs_of_baal(interpreter: str, host: list[np.ndarray]) -> dict[str, list[float]]:
    """The same of baal, on the first chunks; says how far its scores are from ours."""
    logits = np.concatenate(host[:SLOW_CHUNKS], axis=1)
    with tempfile.TemporaryDirectory() as folder:
        given, scores = Path(folder) / "logits.npy", Path(folder) / "scores.npy"
        np.save(given, logits)
        command = [interpreter, str(RIVAL), str(given), str(CHUNK), str(scores)]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        apart = np.abs(np.load(scores) - np.asarray(frame_scores(jnp.asarray(logits)))).max()
    sys.stdout.write(f"baal's scores and ours differ by at most {apart:.1e} nats\n")
    return {f"baal BALD, {name}": cost for name, cost in json.loads(told.splitlines()[-1]).items()}


def effects(host: list[np.ndarray]) -> str:
    """What the faster forms do to the ranking, as lines of text."""
    logits = [jnp.asarray(chunk) for chunk in host]
    exact = np.concatenate([frame_scores(chunk) for chunk in logits])
    fast = np.concatenate([ranking(chunk) for chunk in logits])
    half = np.concatenate([ranking(chunk.astype(jnp.bfloat16)) for chunk in logits])
    bound = np.concatenate([frame_bounds(chunk) for chunk in logits])
    lines = []
    for name, scores in (("ranking", fast), ("ranking, bf16", half), ("bound", bound)):
        order = [float(spearmanr(scores[:, k], exact[:, k]).statistic) for k in range(CLASSES)]
        best = [set(np.argsort(-values[:, k])[:TOP]) for values in (scores, exact) for k in range(CLASSES)]
        shared = [len(best[k] & best[CLASSES + k]) / TOP for k in range(CLASSES)]
        apart = np.abs(scores - exact).max()
        lines.append(
            f"{name}: Spearman >= {min(order):.5f}, top 1 % in common >= {min(shared):.2f}, |d| <= {apart:.1e} nats"
        )
    for name, batches in (("as they come", logits), ("at once", [jnp.concatenate(logits, axis=1)])):
        share = top_frames(batches, TOP).exact_share
        lines.append(f"top 1 % of {FRAMES} frames, {name}: {share:.1%} of frames and classes needed their exact score")
    return "\n".join(lines) + "\n"


def processor() -> str:
    """Name of the processor, as far as the system tells."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def table(results: dict[str, list[float]]) -> str:
    """Costs of each form, as lines of text."""
    lines = [
        f"{datetime.date.today().isoformat()}  {processor()}, {os.cpu_count()} cores, jax {jax.__version__}",
        f"[{MEMBERS}, {FRAMES}, {CLASSES}, {ROWS}, {COLUMNS}] float32 logits in chunks of {CHUNK} frames",
        f"{'form':28s}{'us/frame':>10s}{'x read':>8s}{'x exact':>9s}{'peak MB':>9s}",
    ]
    for name, (seconds, megabytes) in results.items():
        to_read, to_exact = seconds / results["read once"][0], seconds / results["exact"][0]
        lines.append(f"{name:28s}{seconds * 1e6:10.1f}{to_read:8.1f}{to_exact:9.2f}{megabytes:9.1f}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Time every form and print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rival-python", help="interpreter that has baal")
    arguments.add_argument("--peaks", action="store_true", help="measure memory alone and print it as JSON")
    given = arguments.parse_args()
    if given.peaks:
        return_freed_memory()
        sys.stdout.write(json.dumps(peaks(passes(some_logits()))))
        return
    rival = given.rival_python
    host = some_logits()
    results = costs(passes(host))
    if rival is not None:
        results |= costs_of_baal(rival, host)
    sys.stdout.write(table(results) + effects(host))


if __name__ == "__main__":
    main()
