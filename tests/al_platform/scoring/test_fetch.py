"""Shards as files of this machine: as they lie, or fetched once, and always the bytes that were written."""

from pathlib import Path

import pytest

from al_platform.errors import CorruptScores
from al_platform.scoring.fetch import ClassFiles, local_shards
from al_platform.scoring.markers import finished_markers
from al_platform.storage.files import NamedFiles
from tests.al_platform.scoring.small import MODEL, SmallPool, small_pool


@pytest.fixture
def pool(tmp_path: Path) -> SmallPool:
    made = small_pool(tmp_path, frames=130)
    made.score()
    return made


def shards(pool: SmallPool, files: NamedFiles, folder: Path) -> ClassFiles:
    markers = finished_markers(pool.place.files, pool.job)
    return local_shards(files, markers.values(), MODEL.classes[::-1], folder=folder)


def elsewhere(pool: SmallPool, folder: Path) -> NamedFiles:
    """The same files in a storage of another kind."""
    files = NamedFiles(f"memory://{folder.name}")
    for name, content in pool.contents().items():
        files.write(f"{pool.job.folder}/{name}", content)
    return files


def test_local_files_are_given_as_they_lie_class_by_class(pool: SmallPool, tmp_path: Path) -> None:
    found = shards(pool, pool.place.files, tmp_path / "copies")
    wanted = [[pool.job.file_name(shard, index) for shard in range(3)] for index in (1, 0)]
    assert found == tuple(tuple(pool.place.files.path(name) for name in names) for names in wanted)
    assert not (tmp_path / "copies").exists()


def test_files_of_another_storage_are_fetched_once_and_again_where_a_copy_rots(pool: SmallPool, tmp_path: Path) -> None:
    files = elsewhere(pool, tmp_path)
    found = shards(pool, files, tmp_path / "copies")
    content = pool.contents()
    assert [Path(path).read_bytes() for path in found[1]] == [content[f"{shard:05d}-000.parquet"] for shard in range(3)]
    first = Path(found[0][0])
    written = first.stat().st_mtime_ns
    assert shards(pool, files, tmp_path / "copies") == found
    assert first.stat().st_mtime_ns == written
    whole = first.read_bytes()
    first.write_bytes(whole[:-1])
    assert shards(pool, files, tmp_path / "copies") == found
    assert first.read_bytes() == whole


def test_a_file_that_was_changed_is_refused(pool: SmallPool, tmp_path: Path) -> None:
    path = Path(pool.place.files.path(pool.job.file_name(1, 0)))
    content = bytearray(path.read_bytes())
    content[60] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(CorruptScores, match=rf"{path}: its bytes hash to .*; delete it, then run the round again"):
        shards(pool, pool.place.files, tmp_path / "copies")
