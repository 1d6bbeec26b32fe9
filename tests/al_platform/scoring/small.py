"""A pool of small pictures and an ensemble that scores them in moments: U-Nets on 16 x 16 pixels, untrained."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
import pyarrow as pa
from PIL import Image

from al_platform.domain.models import GridSpec, ModelSpec
from al_platform.domain.progress import ReportProgress, silent
from al_platform.domain.scores import ScoringJob, Share
from al_platform.models.families import family_named, model_spec
from al_platform.models.weights import weights_to_bytes
from al_platform.scoring.job import make_job, write_job
from al_platform.scoring.place import ScoringPlace
from al_platform.scoring.worker import run_scorer
from al_platform.storage.blobs import BlobStore
from al_platform.storage.pools import write_pool
from al_platform.storage.records import RecordCaches

MODEL: ModelSpec = model_spec(
    "unet", ("person", "it's"), members=2, grid=GridSpec(image_height=16, image_width=16, cell=8)
)
FRAMES, PICTURES, SHARD = 300, 40, 64


@dataclass(frozen=True)
class SmallPool:
    """A storage with a pool, its pictures, and the job of scoring it; frame n shows picture n modulo their number."""

    place: ScoringPlace
    job: ScoringJob
    pictures: tuple[str, ...]

    def score(self, share: Share | None = None, report: ReportProgress = silent) -> None:
        """Run a scorer to its end."""
        run_scorer(self.place, self.job, share=share or Share(), report=report)

    def contents(self) -> dict[str, bytes]:
        """The bytes of every Parquet file of scores."""
        files = self.place.files
        names = [name for name in files.names(self.job.folder) if name.endswith(".parquet")]
        return {name: files.read(f"{self.job.folder}/{name}") for name in names}


def small_pool(
    folder: Path, *, frames: int = FRAMES, broken: Sequence[int] = (), weights: float = 1.0, storage_url: str = ""
) -> SmallPool:
    """Make a pool in a folder, or in this storage with its caches in the folder.

    The pictures of these numbers are none, the weights are multiplied by `weights`.
    """
    blobs = BlobStore(storage_url or str(folder / "blobs"))
    pictures = tuple(
        blobs.put(f"broken {number}".encode() if number in broken else picture(number)).hash
        for number in range(PICTURES)
    )
    family = family_named(MODEL.family)
    keys = jax.random.split(jax.random.key(1), MODEL.members)
    parameters = jax.tree.map(
        lambda leaf: np.asarray(leaf) * weights, jax.vmap(lambda key: family.init(MODEL, key))(keys)
    )
    job = make_job(
        MODEL,
        encoder_hash=blobs.put(b"").hash,
        weights_hash=blobs.put(weights_to_bytes(parameters)).hash,
        temperatures=(1.0, 1.0),
        pool_manifest_hash=write_pool(blobs, pool_table(frames, pictures)),
        frames=frames,
        frames_per_shard=SHARD,
    )
    place = ScoringPlace(blobs, RecordCaches(folder / "cache"))
    write_job(place.files, job)
    return SmallPool(place, job, pictures)


def pool_table(frames: int, pictures: Sequence[str]) -> pa.Table:
    numbers = np.arange(frames)
    return pa.table(
        {
            "item_id": [f"frm_{number}" for number in numbers],
            "session_id": [f"s{number // 20}" for number in numbers],
            "frame_number": numbers % 20,
            "timestamp_s": pa.array([None if number % 3 else number / 10 for number in numbers], pa.float64()),
            "image_hash": [pictures[number % len(pictures)] for number in numbers],
        }
    )


def picture(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (16, 16, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()
