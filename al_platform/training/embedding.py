"""One vector a frame, for diversity: from the encoder's records, cached. Many at once are a job."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from al_platform.domain.ids import make_id
from al_platform.domain.models import ModelSpec
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.errors import CorruptBlob, NotFound
from al_platform.models.base import Encoder
from al_platform.models.batches import in_fixed_batches
from al_platform.models.families import family_named
from al_platform.models.records import ContentRecords, Unreadable
from al_platform.models.scoring import make_embedder
from al_platform.models.weights import weights_from_bytes
from al_platform.storage.blobs import BlobStore
from al_platform.storage.files import NamedFiles
from al_platform.storage.named_records import find_record, keep_record
from al_platform.storage.records import RecordCache
from al_platform.training.place import TrainingPlace, frame_records

KIND = "embed"
"""Of jobs that do this."""

STAGE = "embed"

_BATCH = 64
_LOADED = 4
"""Models that a process keeps for whoever asks next: loading one takes longer than a search."""
_AT_ONCE = 4_096
"""Vectors that are written together."""


@dataclass(frozen=True)
class EmbeddingModel:
    """What turns a frame into a vector; the weights play a part only where the family says so."""

    model: ModelSpec
    ensemble_id: str
    weights_hash: str
    encoder_hash: str


@dataclass(frozen=True)
class EmbeddingJob:
    """Which frames are to have vectors in the cache: a blob of content hashes, one a line."""

    embedding_id: str
    model: EmbeddingModel
    images_hash: str

    @property
    def name(self) -> str:
        """Give the name of the job in storage."""
        return f"embeddings/{self.embedding_id}.json"


@dataclass(frozen=True)
class Embedder:
    """The vectors of one model: those in the cache, and what computes the others."""

    cache: RecordCache
    records: ContentRecords
    embed: Callable[[NDArray[Any]], NDArray[Any]]

    def ensure(self, images: Sequence[str], report: ReportProgress) -> Unreadable:
        """Compute the vectors that are missing; gives the content hashes that cannot be read, and why."""
        missing = self.cache.missing(images)
        lost = self.records.ensure(missing, report)
        wanted = [image for image in missing if image not in lost]
        for start in range(0, len(wanted), _AT_ONCE):
            report(Progress(STAGE, start, len(wanted)))
            some = wanted[start : start + _AT_ONCE]
            self.cache.add(some, self.embed(self.records.take(some)).astype(np.float32))
        return lost


def open_embedder(place: TrainingPlace, model: EmbeddingModel) -> Embedder:
    """Open the vectors of a model."""
    loaded = _loaded(place.blobs, model)
    encoder = loaded.encoder
    source = model.ensemble_id if family_named(model.model.family).embeds_with_weights else encoder.key
    cache = place.caches.cache("embeddings", source, shape=(loaded.width,), dtype=np.dtype(np.float32))
    return Embedder(cache, frame_records(place, model.model, encoder), loaded.embed)


@dataclass(frozen=True)
class _Loaded:
    """A model with its weights, ready to give vectors of `width` numbers."""

    encoder: Encoder
    embed: Callable[[NDArray[Any]], NDArray[Any]]
    width: int


@lru_cache(maxsize=_LOADED)
def _loaded(blobs: BlobStore, model: EmbeddingModel) -> _Loaded:
    spec, family = model.model, family_named(model.model.family)
    encoder = family.load_encoder(spec, blobs.get(model.encoder_hash))
    parameters = weights_from_bytes(family, spec, blobs.get(model.weights_hash))
    embedder = make_embedder(family, spec)
    embed = in_fixed_batches(lambda batch: embedder(parameters, jnp.asarray(batch)), _BATCH)
    return _Loaded(encoder, embed, embed(np.zeros((1, *encoder.shape), encoder.dtype)).shape[1])


def write_embedding_job(
    files: NamedFiles, blobs: BlobStore, model: EmbeddingModel, images: Sequence[str]
) -> EmbeddingJob:
    """Put the job of computing the vectors of these content hashes into storage; putting it again changes nothing."""
    job = EmbeddingJob("", model, blobs.put("\n".join(sorted(set(images))).encode()).hash)
    job = replace(job, embedding_id=make_id("emb", job))
    keep_record(files, job.name, job)
    return job


def run_embedding(place: TrainingPlace, name: str, *, report: ReportProgress) -> None:
    """Compute what is missing of a job; frames that cannot be read are left out.

    Raises: NotFound for a job that is not there, CorruptBlob for one that was changed; StorageUnavailable; Stopped.
    """
    job = find_record(place.files, name, EmbeddingJob)
    if job is None:
        raise NotFound(f"embedding {name}: no such job in {place.files.url}; give the storage of its round")
    if make_id("emb", replace(job, embedding_id="")) != job.embedding_id:
        raise CorruptBlob(f"{place.files.path(name)}: was changed; delete it, then run the round again")
    open_embedder(place, job.model).ensure(place.blobs.get(job.images_hash).decode().split("\n"), report)
