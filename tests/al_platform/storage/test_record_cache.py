"""The cache of records: what is torn is not there, what is there is right."""

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from al_platform.storage.records import RecordCache, RecordCaches

SHAPE = (2, 3)
DTYPE = np.dtype(np.float32)


def open_cache(folder: Path) -> RecordCache:
    return RecordCache(folder, shape=SHAPE, dtype=DTYPE)


def records(*values: float) -> NDArray[Any]:
    return np.stack([np.full(SHAPE, value, DTYPE) for value in values])


def the_only(folder: Path, pattern: str) -> Path:
    (path,) = folder.glob(pattern)
    return path


def test_records_come_back_in_the_order_asked_for(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)
    cache.add(["a", "b"], records(1, 2))
    cache.add(["c"], records(3))
    np.testing.assert_array_equal(cache.take(["c", "a", "b", "a"]), records(3, 1, 2, 1))
    assert cache.take(["c"]).dtype == DTYPE
    assert cache.take([]).shape == (0, *SHAPE)


def test_records_outlive_the_process(tmp_path: Path) -> None:
    open_cache(tmp_path).add(["a", "é'\"", ""], records(1, 2, 3))
    np.testing.assert_array_equal(open_cache(tmp_path).take(["é'\"", "", "a"]), records(2, 3, 1))


def test_missing_names_each_unknown_key_once_and_in_order(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)
    cache.add(["a"], records(1))
    assert cache.missing(["c", "a", "b", "c"]) == ["c", "b"]
    assert cache.missing([]) == []


def test_the_first_record_of_a_key_stays(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)
    cache.add(["a", "a"], records(1, 2))
    cache.add(["a", "b"], records(3, 4))
    np.testing.assert_array_equal(cache.take(["a", "b"]), records(1, 4))


def test_adding_what_is_there_writes_nothing(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)
    cache.add(["a"], records(1))
    before = sorted(tmp_path.iterdir())
    cache.add(["a"], records(1))
    cache.add([], records(1)[:0])
    assert sorted(tmp_path.iterdir()) == before


def test_taking_an_unknown_key_raises(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="a"):
        open_cache(tmp_path).take(["a"])


@pytest.mark.parametrize(
    "wrong",
    [
        np.zeros((1, 3, 2), DTYPE),
        np.zeros((1, *SHAPE), np.float64),
        np.zeros((2, *SHAPE), DTYPE),
        np.zeros((0, *SHAPE), DTYPE),
    ],
    ids=["shape", "type", "too many", "too few"],
)
def test_records_that_do_not_fit_are_refused_and_leave_no_trace(tmp_path: Path, wrong: NDArray[Any]) -> None:
    cache = open_cache(tmp_path)
    with pytest.raises(ValueError, match=r"the cache holds float32\(2, 3\) a record"):
        cache.add(["a"], wrong)
    assert cache.missing(["a"]) == ["a"]
    assert not list(tmp_path.iterdir())


def test_two_caches_on_one_folder_do_not_disturb_each_other(tmp_path: Path) -> None:
    one, two = open_cache(tmp_path), open_cache(tmp_path)
    one.add(["a", "b"], records(1, 2))
    two.add(["b", "c"], records(2, 3))
    np.testing.assert_array_equal(one.take(["b", "a"]), records(2, 1))
    np.testing.assert_array_equal(two.take(["b", "c"]), records(2, 3))
    np.testing.assert_array_equal(open_cache(tmp_path).take(["a", "b", "c"]), records(1, 2, 3))


@pytest.mark.parametrize("length", [0, 3, 20, 100, 130])
def test_a_shard_that_was_cut_off_is_not_there_and_is_written_anew(tmp_path: Path, length: int) -> None:
    open_cache(tmp_path).add(["a"], records(1))
    shard = the_only(tmp_path, "*.npy")
    shard.write_bytes(shard.read_bytes()[:length])
    cache = open_cache(tmp_path)
    assert cache.missing(["a"]) == ["a"]
    cache.add(["a"], records(5))
    np.testing.assert_array_equal(open_cache(tmp_path).take(["a"]), records(5))


@pytest.mark.parametrize("listing", [b"", b"a", b"a\nb\nc", b"\xff\xfe"])
def test_a_listing_that_does_not_fit_its_shard_is_not_believed(tmp_path: Path, listing: bytes) -> None:
    open_cache(tmp_path).add(["a", "b"], records(1, 2))
    the_only(tmp_path, "*.ids").write_bytes(listing)
    assert open_cache(tmp_path).missing(["a", "b"]) == ["a", "b"]


def test_half_a_shard_without_the_other_half_is_not_there(tmp_path: Path) -> None:
    open_cache(tmp_path).add(["a"], records(1))
    the_only(tmp_path, "*.npy").unlink()
    assert open_cache(tmp_path).missing(["a"]) == ["a"]
    the_only(tmp_path, "*.ids").unlink()
    assert open_cache(tmp_path).missing(["a"]) == ["a"]


def test_shards_of_another_shape_or_type_are_passed_over(tmp_path: Path) -> None:
    open_cache(tmp_path).add(["a"], records(1))
    other = RecordCache(tmp_path, shape=(6,), dtype=DTYPE)
    assert other.missing(["a"]) == ["a"]
    assert RecordCache(tmp_path, shape=SHAPE, dtype=np.dtype(np.int32)).missing(["a"]) == ["a"]


def test_a_view_into_another_array_is_kept_as_it_looks(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)
    cache.add(["a", "b"], np.arange(12, dtype=DTYPE).reshape(3, 2, 2).transpose(2, 1, 0))
    expected = np.arange(12, dtype=DTYPE).reshape(3, 2, 2).transpose(2, 1, 0)
    np.testing.assert_array_equal(open_cache(tmp_path).take(["a", "b"]), expected)


def test_what_another_process_added_is_seen_once_the_caches_are_forgotten(tmp_path: Path) -> None:
    caches, others = RecordCaches(tmp_path), RecordCaches(tmp_path)
    mine = caches.cache("x", shape=SHAPE, dtype=DTYPE)
    others.cache("x", shape=SHAPE, dtype=DTYPE).add(["a"], records(1.0))
    assert mine.missing(["a"]) == ["a"]
    caches.forget()
    assert caches.cache("x", shape=SHAPE, dtype=DTYPE).missing(["a"]) == []


def test_many_threads_that_add_at_once_each_find_their_records(tmp_path: Path) -> None:
    cache = open_cache(tmp_path)

    def add(first: int) -> None:
        for key in range(first, first + 20):  # neighbours add half of the same keys
            cache.add([str(key)], records(key))

    adding = [threading.Thread(target=add, args=(10 * number,)) for number in range(4)]
    for one in adding:
        one.start()
    for one in adding:
        one.join()
    keys = range(50)
    np.testing.assert_array_equal(cache.take([str(key) for key in keys]), records(*keys))
    assert len(list(tmp_path.glob("*.ids"))) == 50


def test_what_was_gathered_last_is_kept_under_its_name(tmp_path: Path) -> None:
    caches = RecordCaches(tmp_path)
    assert caches.gathered("pool") is None
    for name in ("pool", "another"):
        caches.keep_gathered(name, (kept := records(1, 2)))
        assert caches.gathered(name) is kept
    assert caches.gathered("pool") is None
