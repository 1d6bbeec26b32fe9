"""Shards of arrays: what is written is what is mapped, and what is torn or changed is told."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from al_platform.domain.hashing import hash_bytes
from al_platform.errors import InvalidInput
from al_platform.storage.arrays import ArrayRecord, Arrays, Place, faults_of_shards, open_shards, write_shard


def records(count: int, *, first: int = 0, width: int = 3) -> list[ArrayRecord]:
    """Records with an array of each kind of shape: a number, a row, an empty one."""
    return [
        ArrayRecord(
            f"r{number}",
            {"tags": [f"t{number}"]},
            {
                "one": np.asarray(number, np.int32),
                "row": np.arange(number, number + width, dtype=np.float32),
                "none": np.zeros((0, 4), np.uint8),
            },
        )
        for number in range(first, first + count)
    ]


def id_of(arrays: Arrays) -> str:
    return f"r{arrays['one']}" if arrays["row"][0] == arrays["one"] else "changed"


def test_what_is_written_is_what_is_mapped(tmp_path: Path) -> None:
    places = write_shard(tmp_path, records(5), layout="a")
    (shard,) = open_shards(tmp_path).whole
    assert places == [Place(shard.name, row) for row in range(5)]
    assert (shard.layout, shard.ids) == ("a", ("r0", "r1", "r2", "r3", "r4"))
    assert shard.about[2] == {"tags": ["t2"]}
    for row, record in enumerate(records(5)):
        for name, array in record.arrays.items():
            found = shard.arrays[name][row]
            assert (found.dtype, found.shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(found, array)
    assert list(faults_of_shards(tmp_path, id_of=id_of)) == []


def test_nobody_can_change_what_is_mapped(tmp_path: Path) -> None:
    write_shard(tmp_path, records(2), layout="a")
    with pytest.raises(ValueError, match="read-only"):
        open_shards(tmp_path).whole[0].arrays["row"][0] = 0.0


def test_writing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    first = write_shard(tmp_path, records(3), layout="a")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert write_shard(tmp_path, records(3), layout="a") == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_a_shard_cut_off_before_its_manifest_is_not_there(tmp_path: Path) -> None:
    write_shard(tmp_path, records(3), layout="a")
    write_shard(tmp_path, records(3, first=3), layout="a")
    next(tmp_path.glob("*.json")).unlink()
    assert len(open_shards(tmp_path).whole) == 1
    write_shard(tmp_path, records(3), layout="a")
    write_shard(tmp_path, records(3, first=3), layout="a")
    assert sorted(len(shard.ids) for shard in open_shards(tmp_path).whole) == [3, 3]


def test_a_torn_shard_is_named_with_the_cure(tmp_path: Path) -> None:
    write_shard(tmp_path, records(3), layout="a")
    (data,) = tmp_path.glob("*.arrays")
    data.write_bytes(data.read_bytes()[:-1])
    (damaged,) = open_shards(tmp_path).damaged
    assert damaged.ids == ("r0", "r1", "r2")
    assert re.search(r"shard .*\.arrays: \d+ bytes, its manifest says \d+; .*--again", damaged.reason)
    data.unlink()
    assert ": 0 bytes" in open_shards(tmp_path).damaged[0].reason
    assert len(list(faults_of_shards(tmp_path, id_of=id_of))) == 1


def test_damage_to_one_shard_takes_nothing_from_the_others(tmp_path: Path) -> None:
    write_shard(tmp_path, records(3), layout="a")
    (data,) = tmp_path.glob("*.arrays")
    data.write_bytes(b"")
    write_shard(tmp_path, records(2, first=3), layout="a")
    opened = open_shards(tmp_path)
    assert [shard.ids for shard in opened.whole] == [("r3", "r4")]
    assert [shard.ids for shard in opened.damaged] == [("r0", "r1", "r2")]


def test_a_changed_manifest_is_named(tmp_path: Path) -> None:
    write_shard(tmp_path, records(3), layout="a")
    (manifest,) = tmp_path.glob("*.json")
    manifest.write_bytes(manifest.read_bytes()[:-5])
    (damaged,) = open_shards(tmp_path).damaged
    assert (damaged.ids, "hash to another name" in damaged.reason) == ((), True)


def test_changed_numbers_are_found_by_the_check(tmp_path: Path) -> None:
    write_shard(tmp_path, records(3), layout="a")
    (data,) = tmp_path.glob("*.arrays")
    content = bytearray(data.read_bytes())
    content[4096 + 4 * 3 + 1] ^= 1  # the second of three rows of three
    data.write_bytes(content)
    (fault,) = faults_of_shards(tmp_path, id_of=id_of)
    assert "record r1 was changed in row; delete it" in fault


def test_a_shard_of_another_version_is_refused(tmp_path: Path) -> None:
    write_shard(tmp_path, records(1), layout="a")
    (manifest,) = tmp_path.glob("*.json")
    newer = json.dumps({**json.loads(manifest.read_bytes()), "version": 99}).encode()
    manifest.with_name(f"{hash_bytes(newer)}.json").write_bytes(newer)
    manifest.unlink()
    assert "version 99, this platform reads 1" in open_shards(tmp_path).damaged[0].reason


def test_records_that_cannot_be_stacked_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="record r1: its arrays differ"):
        write_shard(tmp_path, [*records(1), *records(1, first=1, width=4)], layout="a")
    with pytest.raises(InvalidInput, match="at least one"):
        write_shard(tmp_path, [], layout="a")
    assert list(tmp_path.iterdir()) == []
