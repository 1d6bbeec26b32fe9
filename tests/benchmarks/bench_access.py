"""Random reads a second from each place that holds samples, and how long a training waits for them.

    python tests/benchmarks/bench_access.py

20,000 blobs of 20 to 60 kB, read at random by 8 threads; the files are in the memory of the machine, so this times the
path and not the disk. Azurite, an emulator on this machine, stands for object storage. About three minutes.
"""

import datetime
import io
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import fsspec
import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image

from al_platform.domain.hashing import hash_bytes
from al_platform.domain.models import GridSpec
from al_platform.domain.progress import silent
from al_platform.storage.blobs import BlobStore, filesystem_at
from al_platform.storage.cache import BlobCache
from al_platform.storage.shards import Shards
from al_platform.training.images import FrameImages
from al_platform.training.readahead import ReadAhead
from al_platform.training.sampling import Sampler
from al_platform.training.tiers import HotTiers, TierSpec
from tests.azurite import CONTAINER, NoAzurite, azurite_running, make_container

BLOBS, REMOTE_BLOBS = 20_000, 1_500
THREADS, BATCH = 8, 64
READS, REMOTE_READS = 40_000, 1_500
PASSES = 3

FRAMES, STEPS, TRAIN_BATCH = 400, 60, 16
GRID = GridSpec()

Read = Callable[[Sequence[str]], object]
"""Reads the samples of some keys."""


class Generated:
    """A store that has its blobs in memory."""

    def __init__(self, blobs: Mapping[str, bytes]) -> None:
        self._blobs = blobs

    def get(self, blob_hash: str) -> bytes:
        return self._blobs[blob_hash]


def generated(count: int) -> dict[str, bytes]:
    draw = np.random.default_rng(0)
    contents = (draw.bytes(int(size)) for size in draw.integers(20_000, 60_000, count))
    return {hash_bytes(content): content for content in contents}


def rate(read: Read, keys: Sequence[str], *, reads: int, passes: int = PASSES) -> float:
    """Give samples a second, the best pass of several; each thread takes batches of keys drawn anew in every pass."""
    draw, best = np.random.default_rng(1), 0.0
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(passes):
            rows = draw.integers(0, len(keys), (reads // BATCH, BATCH))
            asked = [[keys[row] for row in part] for part in rows]
            started = time.perf_counter()
            list(pool.map(read, asked))
            best = max(best, rows.size / (time.perf_counter() - started))
    return best


def one_by_one(read: Callable[[str], object]) -> Read:
    """Read keys one after the other, in the thread that has them."""

    def read_all(keys: Sequence[str]) -> None:
        for key in keys:
            read(key)

    return read_all


def local_rates(folder: Path) -> Iterator[tuple[str, float]]:
    """ArrayRecord shards, the cache, and the cache's files without a check of their content."""
    blobs = generated(BLOBS)
    keys = list(blobs)
    shards = Shards(folder / "shards")
    for start in range(0, BLOBS, 5000):
        some = keys[start : start + 5000]
        shards.add(some, [blobs[key] for key in some])
    yield f"ArrayRecord shards, batches of {BATCH}", rate(shards.read, keys, reads=READS)
    yield "ArrayRecord shards, one by one", rate(one_by_one(lambda key: shards.read([key])), keys, reads=READS)
    cache = BlobCache(Generated(blobs), folder / "cache", limit_bytes=4 * 10**9)
    for key in keys:
        cache.get(key)
    yield "cache hits, each verified", rate(one_by_one(cache.get), keys, reads=READS)
    paths = {path.name: str(path) for path in (folder / "cache").rglob("*") if path.is_file()}
    yield "loose files, not verified", rate(one_by_one(lambda key: contents_of(paths[key])), keys, reads=READS)


def contents_of(path: str) -> bytes:
    with open(path, "rb", buffering=0) as stream:  # noqa: PTH123  the fastest that Python has
        return stream.read()


def remote_rates(folder: Path) -> Iterator[tuple[str, float]]:
    """Object storage: a request a blob, ranges of one packed object, and the cache in front."""
    with azurite_running() as connection:
        make_container(connection)
        os.environ["AZURE_STORAGE_CONNECTION_STRING"] = connection
        store = BlobStore(f"az://{CONTAINER}/blobs")
        blobs = generated(REMOTE_BLOBS)
        keys = list(blobs)
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(store.put, blobs.values()))
        once = {"reads": REMOTE_READS, "passes": 1}
        yield "object storage, a GET each", rate(one_by_one(store.get), keys, **once)
        filesystem, root = filesystem_at(f"az://{CONTAINER}/packed")
        filesystem.pipe_file(root, b"".join(blobs.values()))
        starts = np.cumsum([0, *map(len, blobs.values())]).tolist()
        places = {key: (starts[row], starts[row + 1]) for row, key in enumerate(keys)}
        yield (
            f"object storage, ranges, batches of {BATCH}",
            max(ranged_rate(filesystem, root, list(places.values())) for _ in range(PASSES)),
        )
        cache = BlobCache(store, folder / "remote", limit_bytes=10**9)
        yield "cache in front, first time", rate(one_by_one(cache.get), keys, **once)
        yield "cache in front, after that", rate(one_by_one(cache.get), keys, reads=READS)


def ranged_rate(filesystem: fsspec.AbstractFileSystem, path: str, places: list[tuple[int, int]]) -> float:
    """Samples a second of one object read range by range, a batch of requests at a time."""
    started = time.perf_counter()
    for first in range(0, len(places), BATCH):
        begins, ends = zip(*places[first : first + BATCH], strict=True)
        filesystem.cat_ranges([path] * len(begins), list(begins), list(ends))
    return len(places) / (time.perf_counter() - started)


def waiting(folder: Path) -> Iterator[tuple[str, float, float]]:
    """(source, share of the time that a training waits, frames a second) beside a step of about 100 ms."""
    store, tiers = BlobStore(str(folder / "archive")), HotTiers(folder / "hot")
    images = {f"frm_{number}": store.put(picture(number)).hash for number in range(FRAMES)}
    sampler = Sampler(np.ones(FRAMES), key=jax.random.key(0), batch=TRAIN_BATCH)
    sources = [("JPEG files of 960 x 640, decoded", FrameImages(images, GRID, tiers=tiers, blobs=store))]
    size = (GRID.image_height, GRID.image_width)
    tiers.heat(TierSpec("bench", size, FRAMES), images, blobs=store, report=silent)
    sources.append(("hot tier, at the model's 320 x 224", FrameImages(images, GRID, tiers=tiers, blobs=store)))
    for name, source in sources:
        yield name, *trained(source, list(images), sampler)


def trained(source: FrameImages, keys: Sequence[str], sampler: Sampler) -> tuple[float, float]:
    def read(step: int) -> np.ndarray:
        return source.take([keys[row] for row in sampler.rows(step, 1)[0]])

    step_on(jnp.zeros((TRAIN_BATCH, GRID.image_height, GRID.image_width, 3), jnp.uint8)).block_until_ready()
    with closing(ReadAhead(read, first_step=0, ahead=16)) as batches:
        next(batches)
        started, waited = time.perf_counter(), 0.0
        for _ in range(STEPS):
            asked = time.perf_counter()
            batch = next(batches)
            waited += time.perf_counter() - asked
            step_on(jnp.asarray(batch)).block_until_ready()
        total = time.perf_counter() - started
    return waited / total, STEPS * TRAIN_BATCH / total


@jax.jit
def step_on(images: jax.Array) -> jax.Array:
    """Work of the size of a small training step: it reads the batch and multiplies."""
    pixels = images.reshape(TRAIN_BATCH, -1)[:, :65_536].astype(jnp.float32).reshape(1024, -1)
    return jax.lax.fori_loop(0, 3, lambda _, x: jnp.tanh(x @ x.T @ pixels / 1e6), pixels).sum()


def picture(number: int) -> bytes:
    coarse = np.random.default_rng(number).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(coarse).resize((960, 640), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def main() -> None:
    """Print one table."""
    load = os.getloadavg()[0]
    say(f"{datetime.date.today().isoformat()}  {platform.machine()}, {os.cpu_count()} cores, load {load:.1f}")
    with tempfile.TemporaryDirectory() as name:
        say(f"{'':45}{'samples/s':>10}")
        for source, found in local_rates(Path(name)):
            say(f"{source:45}{found:10,.0f}")
        try:
            for source, found in remote_rates(Path(name)):
                say(f"{source:45}{found:10,.0f}")
        except NoAzurite as reason:
            say(f"object storage: not measured, {reason}")
        say(f"{'training step beside it':45}{'frames/s':>10}{'waits':>8}")
        for source, share, frames in waiting(Path(name)):
            say(f"{source:45}{frames:10,.0f}{share:8.1%}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
