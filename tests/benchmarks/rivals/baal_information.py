"""BALD of baal 2.1 on the logits that bench_information.py wrote; run by an interpreter that has baal.

    python tests/benchmarks/rivals/baal_information.py LOGITS.npy CHUNK SCORES.npy

baal knows categories only and soft-maxes whatever does not sum to 1 over its class axis, maps of independent
classes included, without a word. So every class of a frame is given to it as a sample of its own, with the
two answers as its classes: [frames * classes, 2, rows, columns, members]. Making these probabilities is not
counted. Prints a JSON object: name -> [seconds a frame, peak megabytes above its input].
"""

import ctypes
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from baal.active.heuristics import BALD

PASSES = 3
M_MMAP_THRESHOLD = -3  # Of malloc.h.
STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def answers(logits_MBKHW: np.ndarray) -> np.ndarray:
    """Probabilities of yes and no, as baal wants them."""
    members, _, _, rows, columns = logits_MBKHW.shape
    yes = 1.0 / (1.0 + np.exp(-logits_MBKHW))
    samples = yes.reshape(members, -1, rows, columns)
    return np.ascontiguousarray(np.moveaxis(np.stack([samples, 1.0 - samples], axis=2), 0, -1))


def whole(probabilities: np.ndarray) -> np.ndarray:
    """Every frame at once."""
    return BALD(reduction="mean").get_uncertainties(probabilities)


def chunked(probabilities: np.ndarray, rows_at_once: int) -> np.ndarray:
    """A chunk of frames at a time, by baal's own generator interface."""
    starts = range(0, len(probabilities), rows_at_once)
    parts = (probabilities[start : start + rows_at_once] for start in starts)
    return BALD(reduction="mean").get_uncertainties_generator(parts)


def return_freed_memory() -> None:
    """Have blocks given back as soon as they are freed, or a second peak hides in what the first left.

    Makes whatever needs large blocks slower: called after all is timed.
    """
    if platform.system() == "Linux":
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 1 << 16)
        ctypes.CDLL(None).malloc_trim(0)


def kilobytes(field: str) -> float:
    """A figure of this process's memory."""
    lines = STATUS.read_text().splitlines()
    return float(next(line for line in lines if line.startswith(field)).split()[1])


def least_seconds(one_pass: Callable[[], object]) -> float:
    """Of several runs."""
    best = np.inf
    for _ in range(PASSES):
        start = time.perf_counter()
        one_pass()
        best = min(best, time.perf_counter() - start)
    return best


def peak_megabytes(one_pass: Callable[[], object]) -> float:
    """Peak of memory above what was there before."""
    before = kilobytes("VmRSS")
    RESET.write_text("5")
    one_pass()
    return (kilobytes("VmHWM") - before) / 1e3


def main() -> None:
    """Time both ways and keep the scores for comparison."""
    logits, chunk, scores = np.load(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    frames, classes = logits.shape[1:3]
    probabilities = answers(logits)
    ways = {
        "whole": lambda: whole(probabilities),
        "chunked": lambda: chunked(probabilities, chunk * classes),
    }
    seconds = {name: least_seconds(way) / frames for name, way in ways.items()}
    return_freed_memory()
    results = {name: [seconds[name], peak_megabytes(way)] for name, way in ways.items()}
    np.save(scores, whole(probabilities).reshape(frames, classes))
    sys.stdout.write(json.dumps(results) + "\n")


if __name__ == "__main__":
    main()
