"""What is left when a writer is killed, or the disk is full or read-only. Real processes, real limits."""

import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

CONTENTS = (b"old" * 400_000, b"newer" * 300_000)

WRITE_FOR_EVER = """
import itertools, sys
from pathlib import Path
from al_platform.storage.blobs import write_durably
for content in itertools.cycle((b"old" * 400_000, b"newer" * 300_000)):
    write_durably(Path(sys.argv[1]), content)
    print("written", flush=True)
"""

DIE_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from al_platform.storage.blobs import durable_file
with durable_file(Path(sys.argv[1])) as stream:
    stream.write(b"half of the n")
    stream.flush()
    os.kill(os.getpid(), signal.SIGKILL)
"""

STORE_THINGS = """
import numpy as np
from al_platform.domain.labels import Annotation
from al_platform.errors import StorageUnavailable
from al_platform.storage.blobs import BlobStore
from al_platform.storage.records import RecordCache
from al_platform.storage.sealed import SealedAnswers

def refusals(folder):
    answers = [Annotation(f"frm_{n}", ("person",), str(n)) for n in range(500)]
    cache = RecordCache(folder / "cache", shape=(9000,), dtype=np.dtype(np.uint8))
    attempts = (
        lambda: BlobStore(f"{folder}/blobs").put(bytes(9000)),
        lambda: SealedAnswers(f"{folder}/sealed").seal(answers),
        lambda: cache.add(["key"], np.zeros((1, 9000), np.uint8)),
    )
    for attempt in attempts:
        try:
            attempt()
        except StorageUnavailable as error:
            print(error)
"""

FULL_DISK = f"""
import resource, signal, sys
from pathlib import Path
{STORE_THINGS}
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
refusals(Path(sys.argv[1]))
"""

READ_ONLY = f"""
import os, sys
from pathlib import Path
{STORE_THINGS}
Path(sys.argv[1]).chmod(0o555)
BlobStore(sys.argv[1])  # imports the local file system while everything can be read
if os.geteuid() == 0:
    os.setuid(65534)  # root may write everywhere
refusals(Path(sys.argv[1]))
"""


def python(code: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)


def output_of(code: str, *arguments: str) -> list[str]:
    with python(code, *arguments) as process:
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
    assert process.returncode == 0
    return lines


@pytest.mark.parametrize("seed", range(4))
def test_a_writer_killed_at_any_moment_leaves_one_whole_content(tmp_path: Path, seed: int) -> None:
    target = tmp_path / "file"
    with python(WRITE_FOR_EVER, str(target)) as process:
        assert process.stdout is not None
        for _ in range(random.Random(seed).randrange(1, 30)):
            process.stdout.readline()
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert target.read_bytes() in CONTENTS


def test_a_writer_killed_in_the_middle_leaves_the_old_content(tmp_path: Path) -> None:
    target = tmp_path / "file"
    target.write_bytes(b"old")
    with python(DIE_WHILE_WRITING, str(target)) as process:
        pass
    assert process.returncode == -signal.SIGKILL
    assert target.read_bytes() == b"old"


def test_a_full_disk_is_named_and_nothing_half_written_stays(tmp_path: Path) -> None:
    blob, sealed, cache = output_of(FULL_DISK, str(tmp_path))
    for line, part in ((blob, "blobs"), (sealed, "sealed/answers"), (cache, "cache")):
        assert f"{tmp_path}/{part}" in line
        assert "ree space" in line
    assert "File too large" in blob
    assert "File too large" in sealed
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_read_only_folder_is_named() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        blob, sealed, cache = output_of(READ_ONLY, name)
        assert f"{name}/blobs" in blob
        assert f"{name}/sealed/answers" in sealed
        assert f"{name}/cache" in cache
        assert all("Permission denied" in line and "make it writable" in line for line in (blob, sealed, cache))
