"""The cache of blobs: it gives what the store gives, stays within its limit, and survives whatever befalls it."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from al_platform.domain.hashing import hash_bytes
from al_platform.errors import CorruptBlob, InvalidInput, NotFound, StorageUnavailable
from al_platform.storage.blobs import BlobStore
from al_platform.storage.cache import BlobCache, cached
from tests.al_platform.storage.test_shards import files_no_larger_than


class Counted(BlobStore):
    """A store that counts what it is asked for."""

    asked = 0

    def get(self, blob_hash: str) -> bytes:
        self.asked += 1
        return super().get(blob_hash)


@pytest.fixture(params=["folder", "azure"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Counted:
    url = request.getfixturevalue("azure_url") if request.param == "azure" else str(tmp_path / "store")
    return Counted(url)


@pytest.fixture
def archive(tmp_path: Path) -> Counted:
    return Counted(str(tmp_path / "store"))


def blob(store: BlobStore, number: int, size: int = 1000) -> str:
    return store.put(number.to_bytes(4, "little") * (size // 4)).hash


def sizes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_a_blob_is_fetched_once_and_comes_back_the_same(store: Counted, tmp_path: Path) -> None:
    hashes = [blob(store, number) for number in range(20)]
    cache = BlobCache(store, tmp_path / "cache", limit_bytes=10**6)
    first = [cache.get(each) for each in hashes]
    assert store.asked == 20
    assert [cache.get(each) for each in hashes] == first
    assert [BlobCache(store, tmp_path / "cache", limit_bytes=10**6).get(each) for each in hashes] == first
    assert store.asked == 20
    assert [hash_bytes(content) for content in first] == hashes


@pytest.mark.parametrize("kept", [0, 10])
def test_a_torn_file_is_noticed_and_fetched_again(archive: Counted, tmp_path: Path, kept: int) -> None:
    blob_hash, cache = blob(archive, 1), BlobCache(archive, tmp_path / "cache", limit_bytes=10**6)
    whole = cache.get(blob_hash)
    (path,) = (tmp_path / "cache").rglob(blob_hash)
    path.write_bytes(whole[:kept])
    assert cache.get(blob_hash) == whole
    assert archive.asked == 2
    assert path.read_bytes() == whole


def test_the_limit_is_kept_and_what_was_longest_unused_goes_first(archive: Counted, tmp_path: Path) -> None:
    cache = BlobCache(archive, tmp_path / "cache", limit_bytes=10_000, partitions=1)
    hashes = [blob(archive, number) for number in range(11)]
    for blob_hash in hashes[:10]:
        cache.get(blob_hash)
    for age, blob_hash in enumerate(hashes[:10]):
        (path,) = (tmp_path / "cache").rglob(blob_hash)
        os.utime(path, ns=(age, age))
    cache.get(hashes[0])
    cache.get(hashes[10])
    there = {path.name for path in (tmp_path / "cache").rglob("*") if path.is_file()}
    assert {hashes[0], hashes[10]} <= there
    assert hashes[1] not in there
    assert sizes(tmp_path / "cache") <= 10_000


def test_a_blob_larger_than_a_partition_is_given_and_not_kept(archive: Counted, tmp_path: Path) -> None:
    cache = BlobCache(archive, tmp_path / "cache", limit_bytes=10_000, partitions=4)
    blob_hash = blob(archive, 1, size=4000)
    assert len(cache.get(blob_hash)) == 4000
    assert sizes(tmp_path) == 4000


READ_ALL = """
import sys
from pathlib import Path
from al_platform.domain.hashing import hash_bytes
from al_platform.storage.blobs import BlobStore
from al_platform.storage.cache import BlobCache
cache = BlobCache(BlobStore(sys.argv[1]), Path(sys.argv[2]), limit_bytes=40_000, partitions=2)
for turn in range(4):
    for blob_hash in sys.argv[3:]:
        assert hash_bytes(cache.get(blob_hash)) == blob_hash
"""


def test_processes_that_share_a_folder_read_right_and_stay_near_the_limit(archive: Counted, tmp_path: Path) -> None:
    hashes = [blob(archive, number) for number in range(100)]
    folder = tmp_path / "cache"
    command = [sys.executable, "-c", READ_ALL, archive.url, str(folder)]
    started = [subprocess.Popen([*command, *hashes[turn:], *hashes[:turn]]) for turn in (0, 30, 60)]
    assert [process.wait() for process in started] == [0, 0, 0]
    partitions, others, written_at_once = 2, 2, 2 * 1000
    assert sizes(folder) <= 40_000 + partitions * others * (20_000 / 16 + written_at_once)


def test_threads_that_share_a_cache_read_right(archive: Counted, tmp_path: Path) -> None:
    hashes = [blob(archive, number) for number in range(60)]
    cache = BlobCache(archive, tmp_path / "cache", limit_bytes=20_000, partitions=2)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(cache.get, hashes * 5))
    assert [hash_bytes(content) for content in found] == hashes * 5
    assert sizes(tmp_path / "cache") <= 20_000


def test_what_a_killed_process_left_is_counted_and_goes_in_its_turn(archive: Counted, tmp_path: Path) -> None:
    cache = BlobCache(archive, tmp_path / "cache", limit_bytes=10_000, partitions=1)
    cache.get(blob(archive, 0))
    (partition,) = (tmp_path / "cache").iterdir()
    left = partition / ".left-by-a-killed-process"
    left.write_bytes(bytes(9500))
    os.utime(left, ns=(1, 1))
    cache.get(blob(archive, 1))
    assert not left.exists()


def test_what_the_store_says_is_passed_on(archive: Counted, tmp_path: Path) -> None:
    cache = BlobCache(archive, tmp_path / "cache", limit_bytes=10_000)
    for unknown in (hash_bytes(b"never stored"), "no hash at all"):
        with pytest.raises(NotFound, match=f"blob {unknown}: not in "):
            cache.get(unknown)
    blob_hash = blob(archive, 1)
    (path,) = (tmp_path / "store").rglob(blob_hash)
    path.write_bytes(b"changed")
    with pytest.raises(CorruptBlob):
        cache.get(blob_hash)


def test_a_full_disk_is_named_with_the_limit_to_lower(archive: Counted, tmp_path: Path) -> None:
    blob_hash, cache = blob(archive, 1, size=9000), BlobCache(archive, tmp_path / "cache", limit_bytes=10**7)
    with (
        files_no_larger_than(1000),
        pytest.raises(StorageUnavailable, match=r"cache .*/cache: File too large.*lower the limit.*ALP_CACHE_GB"),
    ):
        cache.get(blob_hash)
    assert len(cache.get(blob_hash)) == 9000


def test_a_limit_that_holds_nothing_is_refused(archive: Counted, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cache limit of 100 bytes: must be at least 256"):
        BlobCache(archive, tmp_path, limit_bytes=100)


def test_a_store_on_the_local_disk_needs_no_cache(archive: Counted, tmp_path: Path) -> None:
    assert cached(archive, tmp_path / "cache", limit_bytes=10**6) is archive
    remote = BlobStore(f"memory://{tmp_path.name}")
    assert isinstance(cached(remote, tmp_path / "cache", limit_bytes=10**6), BlobCache)
