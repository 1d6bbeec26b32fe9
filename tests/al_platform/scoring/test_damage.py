"""Files of scores that are torn, changed or in the wrong place: named, with the cure, and the cure works."""

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from al_platform.errors import CorruptScores, StorageUnavailable
from al_platform.scoring.job import read_job
from al_platform.scoring.markers import finished_markers
from al_platform.scoring.read import dense_scores
from tests.al_platform.scoring.small import MODEL, SmallPool, small_pool

Damage = Callable[[SmallPool], Path]


@pytest.fixture
def pool(tmp_path: Path) -> SmallPool:
    made = small_pool(tmp_path, frames=130)
    made.score()
    return made


def file_of(pool: SmallPool, shard: int = 1, index: int = 0) -> Path:
    return Path(pool.place.files.path(pool.job.file_name(shard, index)))


def marker_of(pool: SmallPool, shard: int = 1) -> Path:
    return Path(pool.place.files.path(pool.job.marker_name(shard)))


def torn(pool: SmallPool) -> Path:
    path = file_of(pool)
    path.write_bytes(path.read_bytes()[:-7])
    return path


def rotten(pool: SmallPool) -> Path:
    content = bytearray(file_of(pool).read_bytes())
    content[60] ^= 0xFF
    file_of(pool).write_bytes(content)
    return file_of(pool)


def torn_without_marker(pool: SmallPool) -> Path:
    marker_of(pool).unlink()
    return torn(pool)


def of_another_shard(pool: SmallPool) -> Path:
    marker_of(pool).unlink()
    file_of(pool).write_bytes(file_of(pool, shard=0).read_bytes())
    return file_of(pool)


def of_another_model(pool: SmallPool) -> Path:
    marker_of(pool).unlink()
    table = pq.read_table(file_of(pool))
    pq.write_table(table.replace_schema_metadata({"score_id": "scr_other"}), file_of(pool))
    return file_of(pool)


def not_finite(pool: SmallPool) -> Path:
    marker_of(pool).unlink()
    table = pq.read_table(file_of(pool))
    place = table.schema.get_field_index("mi_max")
    broken = pa.array([float("nan")] * table.num_rows, pa.float32())
    pq.write_table(table.set_column(place, table.schema.field(place), broken), file_of(pool))
    return file_of(pool)


def torn_marker(pool: SmallPool) -> Path:
    marker_of(pool).write_bytes(marker_of(pool).read_bytes()[:-7])
    return marker_of(pool)


def doubled_marker(pool: SmallPool) -> Path:
    marker_of(pool).write_bytes(marker_of(pool, shard=0).read_bytes())
    return marker_of(pool)


def marker_beyond_the_pool(pool: SmallPool) -> Path:
    extra = marker_of(pool, shard=77)
    extra.write_bytes(marker_of(pool).read_bytes())
    return extra


def marker_of_another_model(pool: SmallPool) -> Path:
    stored = json.loads(marker_of(pool).read_text())
    marker_of(pool).write_text(json.dumps({**stored, "score_id": "scr_other"}))
    return marker_of(pool)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (torn, r"has \d+ bytes, was written with \d+"),
        (rotten, "its bytes hash to"),
        (torn_without_marker, "is torn"),
        (of_another_shard, "rows outside 64 to 127"),
        (of_another_model, r"holds the scores of another model \(scr_other\)"),
        (not_finite, "holds a mi_max that is no finite number"),
        (torn_marker, "is torn"),
        (doubled_marker, "says it is shard 0"),
        (marker_beyond_the_pool, "is none of the 3 shards of the job"),
        (marker_of_another_model, r"is of another model \(scr_other, "),
    ],
)
def test_damage_is_named_with_its_file_and_deleting_that_heals(pool: SmallPool, damage: Damage, says: str) -> None:
    whole = pool.contents()
    path = damage(pool)
    with pytest.raises(CorruptScores, match=rf"{path}: .*{says}.*; delete it, then run the round again"):
        use(pool)
    path.unlink()
    use(pool)
    assert pool.contents() == whole


def test_a_disk_that_is_full_keeps_no_marker_and_the_run_after_it_is_whole(pool: SmallPool) -> None:
    whole = pool.contents()
    for path in (marker_of(pool), file_of(pool, index=0), file_of(pool, index=1)):
        path.unlink()
    with no_file_larger_than(1_000), pytest.raises(StorageUnavailable, match=r"00001-.*Nothing is lost: free space"):
        pool.score()
    assert list(finished_markers(pool.place.files, pool.job)) == [0, 2]
    pool.score()
    assert pool.contents() == whole


@contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """What a full disk says: writing beyond `size` bytes raises."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_changed_job_is_noticed(pool: SmallPool) -> None:
    path = Path(pool.place.files.path(f"{pool.job.folder}/job.json"))
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "weights_hash": "00" * 20}))
    with pytest.raises(CorruptScores, match=r"job\.json: is torn or was changed; delete it"):
        read_job(pool.place.files, pool.job.score_id)


def use(pool: SmallPool) -> None:
    """Finish the scores and read them, as a round does."""
    pool.score()
    files = pool.place.files
    dense_scores(files, pool.job, finished_markers(files, pool.job).values(), MODEL.classes)
