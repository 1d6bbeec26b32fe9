"""The job of scoring a pool, as it lies in storage: a scorer needs its id and nothing of the catalog."""

from dataclasses import replace

from pydantic import ValidationError

from al_platform.domain.driving import PolicyModel
from al_platform.domain.hashing import canonical_json
from al_platform.domain.ids import make_id
from al_platform.domain.models import ModelSpec
from al_platform.domain.records import record_from_json
from al_platform.domain.scores import ScoringJob
from al_platform.errors import CorruptScores, NotFound
from al_platform.storage.files import NamedFiles

FORMULA = "bernoulli-mi-reference/2"
SCENARIO_FORMULA = "drives/3"
"""Names the formulas behind the numbers; raised whenever a number could come out otherwise."""

SMALLEST_SHARD, LARGEST_SHARD = 4_096, 65_536
SMALLEST_SCENARIO_SHARD = 64
"""Scenes are driven a hundred a second at best, where frames are looked at by the thousand."""
SHARDS_WANTED = 32
"""As many shards as keep a handful of scorers busy to the end, within the limits above."""


def make_job(
    model: ModelSpec | PolicyModel,
    *,
    weights_hash: str,
    pool_manifest_hash: str,
    frames: int,
    encoder_hash: str | None = None,
    temperatures: tuple[float, ...] = (),
    frames_per_shard: int | None = None,
) -> ScoringJob:
    """Give the job of scoring a pool of so many items by one ensemble, or by the drivers of one policy.

    A model of frames comes with its encoder and temperatures.
    """
    job = ScoringJob(
        score_id="",
        model=model,
        encoder_hash=encoder_hash,
        weights_hash=weights_hash,
        temperatures=temperatures,
        pool_manifest_hash=pool_manifest_hash,
        frames=frames,
        frames_per_shard=frames_per_shard or shard_size(frames, smallest=_smallest_shard(model)),
        formula=formula_of(model),
    )
    return replace(job, score_id=make_id("scr", job))


def formula_of(model: ModelSpec | PolicyModel) -> str:
    """Name the formulas by which a model scores."""
    return SCENARIO_FORMULA if isinstance(model, PolicyModel) else FORMULA


def shard_size(frames: int, *, smallest: int = SMALLEST_SHARD) -> int:
    """Give the items per shard for a pool of this many."""
    return min(LARGEST_SHARD, max(smallest, -(-frames // SHARDS_WANTED)))


def _smallest_shard(model: ModelSpec | PolicyModel) -> int:
    return SMALLEST_SCENARIO_SHARD if isinstance(model, PolicyModel) else SMALLEST_SHARD


def write_job(files: NamedFiles, job: ScoringJob) -> None:
    """Put a job where scorers look for it; putting it again changes nothing."""
    files.write(_name(job.score_id), canonical_json(job).encode())


def read_job(files: NamedFiles, score_id: str) -> ScoringJob:
    """Give the job of this id.

    Raises: NotFound where there is none, CorruptScores where it is not what its id says.
    """
    try:
        job = record_from_json(ScoringJob, files.read(_name(score_id)).decode())
    except NotFound as missing:
        raise NotFound(f"scores {score_id}: no such job in {files.url}; give the storage of its round") from missing
    except (ValidationError, UnicodeDecodeError) as error:
        raise CorruptScores(_changed(files, score_id)) from error
    if job.score_id != score_id or make_id("scr", replace(job, score_id="")) != score_id:
        raise CorruptScores(_changed(files, score_id))
    return job


def _changed(files: NamedFiles, score_id: str) -> str:
    return f"{files.path(_name(score_id))}: is torn or was changed; delete it, then run the round again"


def _name(score_id: str) -> str:
    return f"scores/{score_id}/job.json"
