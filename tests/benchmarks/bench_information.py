"""How fast frames are scored: our forms against textbook ones and against reading the logits once.

Run it as `python tests/benchmarks/bench_information.py`; it takes less than a minute. Every figure is the
minimum of several passes over the same logits in chunks, and all forms take turns within a pass, so that
their ratios mean something on a busy machine too.
"""

import datetime
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import xlogy as jax_xlogy
from scipy.special import xlogy

from acquisition import frame_measures, frame_scores, ranking_mutual_information

MEMBERS, FRAMES, CLASSES, ROWS, COLUMNS = 8, 2_000, 5, 32, 32
CHUNK = 50
TEXTBOOK_CHUNK = 5
PASSES = 5


def some_logits() -> list[np.ndarray]:
    """Mostly background on which members differ a little, one cell in fifty undecided; in chunks."""
    rng = np.random.default_rng(0)
    chunks = []
    for _ in range(FRAMES // CHUNK):
        centre = np.where(rng.random((CHUNK, CLASSES, ROWS, COLUMNS)) < 0.02, 0.0, -6.0)
        scatter = rng.standard_normal((MEMBERS, *centre.shape), dtype=np.float32)
        chunks.append((centre + 0.5 * scatter).astype(np.float32))
    return chunks


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
    return ranking_mutual_information(cells) @ jnp.ones(ROWS * COLUMNS) / (ROWS * COLUMNS)


def read_once(logits: jax.Array) -> jax.Array:
    """As little as can be done with every logit."""
    return logits.reshape(-1, ROWS * COLUMNS) @ jnp.ones(ROWS * COLUMNS)


def pass_seconds(score: Callable[..., object], chunks: Sequence[object]) -> float:
    """One pass over all chunks, waiting for the last."""
    start = time.perf_counter()
    results = [score(chunk) for chunk in chunks]
    jax.block_until_ready(results)
    return time.perf_counter() - start


def processor() -> str:
    """Name of the processor, as far as the system tells."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    """Time every form and print the table."""
    host = some_logits()
    device = [jax.device_put(chunk) for chunk in host]
    forms: dict[str, tuple[Callable[..., object], Sequence[object]]] = {
        "read once": (jax.jit(read_once), device),
        "ranking form": (jax.jit(ranking), device),
        "mean of mutual information": (jax.jit(frame_scores), device),
        "frame_measures": (jax.jit(frame_measures), device),
        "textbook, jax.jit": (jax.jit(textbook_jax), device),
        "textbook, numpy, 5 frames": (textbook_numpy_in_small_chunks, host[:4]),
        "textbook, numpy, 50 frames": (textbook_numpy, host[:4]),
    }
    best = dict.fromkeys(forms, np.inf)
    for score, chunks in forms.values():
        jax.block_until_ready(score(chunks[0]))
    for _ in range(PASSES):
        for name, (score, chunks) in forms.items():
            best[name] = min(best[name], pass_seconds(score, chunks) / (len(chunks) * CHUNK))
    sys.stdout.write(table(best))


def table(best: dict[str, float]) -> str:
    """Seconds a frame of each form, as lines of text."""
    lines = [
        f"{datetime.date.today().isoformat()}  {processor()}, {os.cpu_count()} cores, jax {jax.__version__}",
        f"[{MEMBERS}, {FRAMES}, {CLASSES}, {ROWS}, {COLUMNS}] float32 logits in chunks of {CHUNK} frames",
        f"{'form':28s}{'us/frame':>10s}{'x read':>8s}{'x ours':>8s}",
    ]
    for name, seconds in best.items():
        to_read, to_ours = seconds / best["read once"], seconds / best["mean of mutual information"]
        lines.append(f"{name:28s}{seconds * 1e6:10.1f}{to_read:8.1f}{to_ours:8.2f}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
