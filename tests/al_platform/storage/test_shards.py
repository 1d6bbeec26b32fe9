"""Shards: immutable files of samples, read at random by key."""

import json
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from al_platform.domain.hashing import hash_bytes
from al_platform.errors import CorruptBlob, InvalidInput, NotFound, StorageUnavailable
from al_platform.storage.shards import Shards

KEYS = [f"frm_{number:03d}" for number in range(60)]
SAMPLES = [np.random.default_rng(number).bytes(number * 37) for number in range(60)]


def filled(folder: Path, shards: int = 3) -> Shards:
    made = Shards(folder)
    for part in range(shards):
        made.add(KEYS[part::shards], SAMPLES[part::shards])
    return made


def files(folder: Path, suffix: str) -> list[Path]:
    return sorted(folder.glob(f"*{suffix}"))


def test_samples_come_back_by_key_in_the_order_asked_for_from_whichever_shard(tmp_path: Path) -> None:
    filled(tmp_path)
    wanted = [59, 0, 31, 31, 2, 58]
    for shards in (filled(tmp_path), Shards(tmp_path)):
        assert len(shards) == 60
        assert shards.read([KEYS[row] for row in wanted]) == [SAMPLES[row] for row in wanted]
        assert shards.read([]) == []


def test_a_shard_is_named_by_its_bytes_and_equal_samples_make_equal_shards(tmp_path: Path) -> None:
    for name in ("one", "other"):
        filled(tmp_path / name)
    names = [[path.name for path in files(tmp_path / name, "")] for name in ("one", "other")]
    assert names[0] == names[1]
    assert all(path.stem == hash_bytes(path.read_bytes()) for path in files(tmp_path / "one", ".arrayrecord"))


def test_what_is_there_already_is_not_written_again(tmp_path: Path) -> None:
    shards = filled(tmp_path)
    before = files(tmp_path, "")
    shards.add(KEYS, SAMPLES)
    assert files(tmp_path, "") == before
    assert shards.missing(["frm_new", *KEYS, "frm_new"]) == ["frm_new"]
    shards.add(["frm_new", KEYS[0]], [b"new", b"other"])
    assert shards.read(["frm_new", KEYS[0]]) == [b"new", SAMPLES[0]]


def test_many_threads_read_at_once(tmp_path: Path) -> None:
    shards, draw = filled(tmp_path), np.random.default_rng(0)
    batches = [draw.integers(0, 60, 16).tolist() for _ in range(200)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda rows: shards.read([KEYS[row] for row in rows]), batches))
    assert found == [[SAMPLES[row] for row in rows] for rows in batches]


def test_more_shards_than_may_be_open_are_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("al_platform.storage.shards._OPEN_READERS", 2)
    assert filled(tmp_path, shards=12).read(KEYS) == SAMPLES


def test_a_key_that_no_shard_holds_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"sample frm_unknown: not in the shards of .*alp tier hot"):
        filled(tmp_path).read(["frm_001", "frm_unknown"])


def test_keys_and_samples_must_be_as_many(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="2 keys for 1 samples"):
        Shards(tmp_path).add(["a", "b"], [b""])


@pytest.mark.parametrize("kept", [0.0, 0.5])
def test_a_shard_cut_short_is_named_and_made_again(tmp_path: Path, kept: float) -> None:
    filled(tmp_path)
    shard = files(tmp_path, ".arrayrecord")[1]
    whole = shard.read_bytes()
    shard.write_bytes(whole[: int(len(whole) * kept)])
    shards = Shards(tmp_path)
    lost = shards.missing(KEYS)
    assert len(lost) == 20
    with pytest.raises(CorruptBlob, match=rf"{shard.name}: \d+ bytes, its manifest says {len(whole)}; .*alp tier hot"):
        shards.read(lost[:1])
    shards.add(lost, [SAMPLES[KEYS.index(key)] for key in lost])
    assert shards.read(KEYS) == SAMPLES
    assert Shards(tmp_path).read(KEYS) == SAMPLES


def test_a_changed_byte_is_noticed_when_its_sample_is_read(tmp_path: Path) -> None:
    filled(tmp_path, shards=1)
    (shard,) = files(tmp_path, ".arrayrecord")
    content = bytearray(shard.read_bytes())
    content[content.index(SAMPLES[40]) + 5] ^= 1
    shard.write_bytes(content)
    shards = Shards(tmp_path)
    assert shards.read(KEYS[:30]) == SAMPLES[:30]
    with pytest.raises(CorruptBlob, match=f"{shard.name}: .*hash mismatch.*alp tier drop"):
        shards.read([KEYS[40]])


def test_a_shard_without_a_manifest_is_not_there(tmp_path: Path) -> None:
    filled(tmp_path)
    files(tmp_path, ".json")[0].unlink()
    assert len(Shards(tmp_path)) == 40


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (json.dumps({"version": 2, "keys": [], "size": 0}), "version 2, this platform reads 1; .*alp tier drop"),
        ("{}", "version None, this platform reads 1"),
        ("[1", "is no JSON"),
        ("[]", "version None"),
    ],
)
def test_a_manifest_of_another_version_is_named(tmp_path: Path, content: str, message: str) -> None:
    filled(tmp_path)
    files(tmp_path, ".json")[0].write_text(content)
    with pytest.raises(StorageUnavailable, match=message):
        Shards(tmp_path)


WRITE_FOR_EVER = """
import sys
from pathlib import Path
from al_platform.storage.shards import Shards
shards = Shards(Path(sys.argv[1]))
for number in range(10**6):
    shards.add([f"frm_{number}"], [str(number).encode() * 50_000])
    print(number, flush=True)
"""


@pytest.mark.parametrize("shards", [1, 7])
def test_a_writer_that_is_killed_leaves_whole_shards_and_the_next_goes_on(tmp_path: Path, shards: int) -> None:
    with subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(shards):
            process.stdout.readline()
        process.kill()
    assert process.returncode == -signal.SIGKILL
    left = Shards(tmp_path)
    assert len(left) >= shards
    keys = [f"frm_{number}" for number in range(len(left))]
    assert left.read(keys) == [str(number).encode() * 50_000 for number in range(len(left))]


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """A disk that is full, as far as this process can tell."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_is_named_and_nothing_half_written_stays(tmp_path: Path) -> None:
    shards = Shards(tmp_path / "full")
    with (
        files_no_larger_than(1000),
        pytest.raises(StorageUnavailable, match=r"shards .*full: .*File too large.*free space"),
    ):
        shards.add(["big"], [bytes(200_000)])
    assert files(tmp_path / "full", "") == []
    shards.add(["big"], [bytes(200_000)])
    assert shards.read(["big"]) == [bytes(200_000)]
