"""Scoring a pool: what is asked for, and what each finished shard says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from al_platform.domain.driving import PolicyModel
from al_platform.domain.models import ModelSpec
from al_platform.errors import InvalidInput


@dataclass(frozen=True)
class ScoringJob:
    """All that a scorer needs besides the storage: which ensemble or drivers, which pool, cut into which shards.

    `score_id` names the content of all other fields, so equal jobs are one and no two share their files.
    """

    score_id: str
    model: ModelSpec | PolicyModel
    weights_hash: str
    pool_manifest_hash: str
    frames: int
    """Items of the pool."""
    frames_per_shard: int
    formula: str
    encoder_hash: str | None = None
    """Of a model of frames; None where drivers are asked."""
    temperatures: tuple[float, ...] = ()
    """One for each member of a model of frames."""
    sort_measure: str = "mi_mean"
    """The rows of a shard are sorted by this measure, the largest first."""

    @property
    def shards(self) -> int:
        """How many shards the pool is cut into."""
        return -(-self.frames // self.frames_per_shard)

    def rows_of(self, shard: int) -> tuple[int, int]:
        """Give the first row of a shard and how many rows of the pool it covers."""
        first = shard * self.frames_per_shard
        return first, min(self.frames_per_shard, self.frames - first)

    def marker_name(self, shard: int) -> str:
        """Give the name of the file that says a shard is finished."""
        return f"{self.folder}/{shard:05d}.json"

    def file_name(self, shard: int, class_index: int) -> str:
        """Give the name of the file with the measures of one class."""
        return f"{self.folder}/{shard:05d}-{class_index:03d}.parquet"

    @property
    def folder(self) -> str:
        """Give the folder of all files of this job."""
        return f"scores/{self.score_id}"


@dataclass(frozen=True)
class Share:
    """One of several scorers of a job: the `number`-th of `of`, counted from 1."""

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        """Refuse a share that is none of them."""
        if not 1 <= self.number <= self.of:
            raise InvalidInput(f"share {self.number}/{self.of}: write I/N with I from 1 to N, for example 1/3")


@dataclass(frozen=True)
class UnreadableItem:
    """A row of the pool without scores, and why."""

    row: int
    item_id: str
    reason: str


@dataclass(frozen=True)
class ShardFile:
    """The measures of one class over one shard; `minimum` and `maximum` are those of the sort measure."""

    class_name: str
    path: str
    hash: str
    rows: int
    bytes: int
    minimum: float | None
    maximum: float | None


@dataclass(frozen=True)
class ShardMarker:
    """A finished shard. Written after its files; the first one counts."""

    score_id: str
    shard: int
    first_row: int
    rows: int
    """Rows of the pool that the shard covers, the unreadable ones too."""
    classes: tuple[str, ...]
    files: tuple[ShardFile, ...]
    unreadable: tuple[UnreadableItem, ...]
    formula: str
    stage_seconds: Mapping[str, float] = field(default_factory=dict)
    """How long each stage was busy meanwhile, summed over its threads; what was written is the shard before."""
    environment: Mapping[str, str] = field(default_factory=dict)
