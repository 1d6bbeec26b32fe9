"""The scoring pipeline on real frames, against its slowest stage alone: cold, and with the records cached.

    ALP_REAL_DATA=FOLDER python tests/benchmarks/bench_scoring.py

FOLDER holds `perception_seg` with a manifest.csv as the `masks` adapter reads it. The default ensemble (8 heads on 128
components) scores all frames; it is untrained, which costs the same. Best of REPEATS runs. A stage alone has all its
threads, and nothing else runs.
"""

import datetime
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np

from al_platform.datasets.adapters import adapter_named
from al_platform.datasets.base import AdapterRequest
from al_platform.domain.progress import silent
from al_platform.models.batches import pad_frames
from al_platform.models.families import family_named, model_spec
from al_platform.models.records import ContentRecords, frame_reader, image_batches
from al_platform.scoring.devices import Forward, batch_size, make_forward
from al_platform.scoring.measures import on_host
from al_platform.scoring.pipeline import DECODE_THREADS, READ_THREADS, measured_batches, open_pipeline
from al_platform.storage.blobs import BlobStore
from al_platform.storage.records import RecordCaches

FRAMES = 512
REPEATS = 3
SAMPLE = 128
COLD, CACHED = "cold: read, decode, encode, forward", "cached: records, forward"
WHOLE = {COLD: ("read", "decode", "encode", "forward"), CACHED: ("records from the cache", "forward")}
ALONE = ("read", "decode", "encode", "records from the cache", "forward")


@dataclass(frozen=True)
class Stand:
    """What is measured: pictures in a store, an encoder fitted on them, an ensemble on the device."""

    blobs: BlobStore
    hashes: Sequence[str]
    encoder_bytes: bytes
    forward: Forward


MODEL = model_spec("prefix-heads", ("pedestrian", "bicyclist"))
FAMILY = family_named(MODEL.family)


def main() -> None:
    """Print one table of frames per second."""
    source = os.environ.get("ALP_REAL_DATA")
    if not source:
        say("bench_scoring: skipped, ALP_REAL_DATA names no folder of real frames")
        return
    with tempfile.TemporaryDirectory() as folder:
        stand = made(Path(source) / "perception_seg", Path(folder))
        rates = best_of_all(stand, Path(folder))
        say(f"| {len(stand.hashes)} frames, {os.cpu_count()} cores | frames/s | of the slowest stage alone |")
        say("|---|---|---|")
        for name in ALONE:
            say(f"| {name} alone | {rates[name]:,.0f} | |")
        for name, stages in WHOLE.items():
            slowest = min(stages, key=rates.__getitem__)
            say(f"| {name} | {rates[name]:,.0f} | {rates[name] / rates[slowest]:.0%} of {slowest} |")
    say(f"{platform.machine()}, {jax.devices()[0].device_kind}, {datetime.datetime.now(datetime.UTC):%Y-%m-%d}")


def made(source: Path, folder: Path) -> Stand:
    """Copy the first frames into a store, fit the encoder, compile everything once."""
    blobs, hashes = BlobStore(str(folder / "blobs")), list[str]()
    for frame in adapter_named("masks")(AdapterRequest(path=str(source))).read():
        if hasattr(frame, "image"):
            hashes.append(blobs.put(frame.image).hash)
        if len(hashes) == FRAMES:
            break
    content = FAMILY.fit_encoder(MODEL, image_batches(hashes[:SAMPLE], MODEL.grid, blobs=blobs, report=silent))
    members = [FAMILY.init(MODEL, key) for key in jax.random.split(jax.random.key(0), MODEL.members)]
    weights = jax.tree.map(lambda *leaves: np.stack([np.asarray(leaf) for leaf in leaves]), *members)
    stand = Stand(blobs, hashes, content, make_forward(FAMILY, MODEL, weights, np.ones(MODEL.members, np.float32)))
    pipeline_over(stand, folder / "warm")
    return stand


def records_in(stand: Stand, cache: Path) -> ContentRecords:
    """The records of the pictures in a cache of their own."""
    reader = frame_reader(stand.blobs, MODEL.grid)
    return ContentRecords(FAMILY.load_encoder(MODEL, stand.encoder_bytes), reader, RecordCaches(cache))


def pipeline_over(stand: Stand, cache: Path) -> None:
    """The whole pipeline over all frames."""
    with open_pipeline(records_in(stand, cache), stand.forward, batch=batch_size()) as pipeline:
        scored = sum(batch.count for batch in measured_batches(pipeline, stand.hashes))
        assert scored == len(stand.hashes)


def best_of_all(stand: Stand, folder: Path) -> dict[str, float]:
    """Frames per second of each stage by itself, its inputs at hand, and of the whole; all in turn, REPEATS times."""
    records = records_in(stand, folder / "warm")
    reader, encode = records.reader, FAMILY.load_encoder(MODEL, stand.encoder_bytes).encode
    with ThreadPoolExecutor(READ_THREADS) as readers, ThreadPoolExecutor(DECODE_THREADS) as decoders:
        contents = list(readers.map(reader.read, stand.hashes))
        pictures = np.stack(list(decoders.map(reader.decode, contents)))
        starts = range(0, len(stand.hashes), batch_size())
        names = [stand.hashes[start : start + batch_size()] for start in starts]
        inputs = [pad_frames(records.take(part), batch_size()) for part in names]
        works: dict[str, Callable[[int], object]] = {
            "read": lambda run: list(readers.map(reader.read, stand.hashes)),
            "decode": lambda run: list(decoders.map(reader.decode, contents)),
            "encode": lambda run: encode(pictures),
            "records from the cache": lambda run: [records.take(part) for part in names],
            "forward": lambda run: [on_host(stand.forward(part), len(part)) for part in inputs],
            COLD: lambda run: pipeline_over(stand, folder / f"cold-{run}"),
            CACHED: lambda run: pipeline_over(stand, folder / "warm"),
        }
        taken = [{name: seconds(work, run) for name, work in works.items()} for run in range(REPEATS)]
    return {name: len(stand.hashes) / min(each[name] for each in taken) for name in works}


def seconds(work: Callable[[int], object], run: int) -> float:
    """How long a piece of work takes."""
    started = time.perf_counter()
    work(run)
    return time.perf_counter() - started


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
