"""One owner, whole transactions, no lost row: with real processes that are really killed."""

import random
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from al_platform.catalog.bulk import add_frame_rows
from al_platform.catalog.check import faults_of
from al_platform.catalog.connection import Catalog
from al_platform.catalog.frames import frames_matching
from al_platform.catalog.schema import SCHEMA_VERSION
from al_platform.catalog.tables import insert_missing
from al_platform.domain.progress import silent
from al_platform.errors import CatalogLocked, CatalogTooNew, StorageUnavailable
from al_platform.storage.blobs import BlobStore
from tests.al_platform.catalog.bulk_rows import columns

HOLD = """
import sys
from pathlib import Path
from al_platform.catalog.connection import Catalog
catalog = Catalog.open(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""

COMMIT_FOR_EVER = """
import itertools, sys
from pathlib import Path
from al_platform.catalog.bulk import add_frame_rows
from al_platform.catalog.connection import Catalog
from tests.al_platform.catalog.bulk_rows import columns
catalog = Catalog.open(Path(sys.argv[1]))
for number in itertools.count(int(sys.argv[2])):
    with catalog.transaction() as tx:
        for part in ("first", "second"):
            add_frame_rows(
                tx,
                columns(
                    100,
                    frame_id=[f"{number}/{part}/{row}" for row in range(100)],
                    dataset=[str(number)] * 100,
                    session_id=[f"{number}/{part}"] * 100,
                    tags=['{"part":"%s","row":%d}' % (part, row + number) for row in range(100)],
                ),
            )
    print(number, flush=True)
"""

FULL_DISK_IN_BULK = """
import resource, signal, sys
from pathlib import Path
from al_platform.catalog.bulk import add_frame_rows
from al_platform.catalog.connection import Catalog
from al_platform.errors import StorageUnavailable
from tests.al_platform.catalog.bulk_rows import columns
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
catalog = Catalog.open(Path(sys.argv[1]))

def add(count):
    with catalog.transaction() as tx:
        print(add_frame_rows(tx, columns(count)))

add(10)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
try:
    add(300_000)
except StorageUnavailable as error:
    print(" ".join(str(error).split()))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
catalog.close()
"""

FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from al_platform.catalog.connection import Catalog
from al_platform.catalog.tables import insert_missing
from al_platform.errors import StorageUnavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

def keep(catalog, name):
    names = [f"{name} {row} {row * 7919 % 10007}" for row in range(9000)]
    with catalog.transaction() as tx:
        insert_missing(tx, "sessions", {"session_id": names, "dataset": [name] * len(names)})

catalog = Catalog.open(Path(sys.argv[1]))
with catalog.transaction() as tx:
    insert_missing(tx, "sessions", {"session_id": ["kept"], "dataset": ["kept"]})
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
try:
    keep(catalog, "too much")
except StorageUnavailable as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
keep(catalog, "again")
catalog.close()
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
try:
    Catalog.open(Path(sys.argv[1]).with_name("other.duckdb"))
except StorageUnavailable as error:
    print(error)
"""


def python(code: str, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def sessions(path: Path) -> dict[str, int]:
    """Rows of each dataset."""
    catalog = Catalog.open(path)
    with catalog.transaction() as tx:
        rows = tx.execute("SELECT dataset, count(*) FROM sessions GROUP BY dataset").fetchall()
    catalog.close()
    return dict(rows)


def add_session(catalog: Catalog, name: str) -> None:
    with catalog.transaction() as tx:
        insert_missing(tx, "sessions", {"session_id": [name], "dataset": ["d"]})


def test_a_catalog_opens_where_there_is_none_and_again(tmp_path: Path) -> None:
    path = tmp_path / 'it\'s a "home" é' / "catalog.duckdb"
    for name in ("a", "b"):
        catalog = Catalog.open(path)
        add_session(catalog, name)
        catalog.close()
    assert sessions(path) == {"d": 2}


def test_a_second_process_is_told_who_holds_the_catalog(tmp_path: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    with python(HOLD, str(path)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(CatalogLocked, match=rf"catalog {path}: held by process {process.pid} .*--home"):
            Catalog.open(path)
        process.communicate("")
    Catalog.open(path).close()


def test_a_newer_catalog_is_refused_and_left_untouched(tmp_path: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    Catalog.open(path).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("UPDATE meta SET schema_version = ?", [SCHEMA_VERSION + 1])
    before = path.read_bytes()
    with pytest.raises(CatalogTooNew, match=rf"schema {SCHEMA_VERSION + 1}, .* up to {SCHEMA_VERSION}; upgrade"):
        Catalog.open(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"no database " * 1000])
def test_a_file_that_is_no_catalog_is_named_and_left_untouched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "catalog.duckdb"
    path.write_bytes(content)
    with pytest.raises(StorageUnavailable, match=f"catalog {path}: .*not a valid DuckDB database"):
        Catalog.open(path)
    assert path.read_bytes() == content


def test_a_catalog_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageUnavailable, match=r"file/x/catalog.duckdb: Not a directory; .*--home"):
        Catalog.open(tmp_path / "file" / "x" / "catalog.duckdb")


@pytest.mark.parametrize("error", [ValueError("stop"), KeyboardInterrupt()])
def test_a_transaction_that_raises_leaves_nothing(catalog: Catalog, error: BaseException) -> None:
    add_session(catalog, "before")
    with pytest.raises(type(error)), catalog.transaction() as tx:
        insert_missing(tx, "sessions", {"session_id": ["half"], "dataset": ["d"]})
        raise error
    add_session(catalog, "after")
    with catalog.transaction() as tx:
        assert tx.execute("SELECT session_id FROM sessions ORDER BY 1").fetchall() == [("after",), ("before",)]


def test_a_transaction_that_the_database_broke_off_leaves_nothing(catalog: Catalog) -> None:
    with pytest.raises(duckdb.ConversionException), catalog.transaction() as tx:
        insert_missing(tx, "sessions", {"session_id": ["half"], "dataset": ["d"]})
        tx.execute("SELECT 'x'::INTEGER")
    add_session(catalog, "after")
    with catalog.transaction() as tx:
        assert tx.execute("SELECT session_id FROM sessions").fetchall() == [("after",)]


def test_another_transaction_sees_nothing_until_the_commit(catalog: Catalog) -> None:
    with catalog.transaction() as writer, catalog.transaction() as reader:
        insert_missing(writer, "sessions", {"session_id": ["a"], "dataset": ["d"]})
        assert reader.execute("SELECT count(*) FROM sessions").fetchall() == [(0,)]


def test_a_writer_killed_at_any_moment_loses_no_committed_row_keeps_no_half_and_breaks_no_rule(tmp_path: Path) -> None:
    path, draw = tmp_path / "catalog.duckdb", random.Random(0)
    Catalog.open(path).close()
    acknowledged: list[str] = []
    for loop in range(12):
        with python(COMMIT_FOR_EVER, str(path), str(loop * 1000)) as process:
            assert process.stdout is not None
            acknowledged.extend(process.stdout.readline().strip() for _ in range(draw.randrange(1, 8)))
            process.kill()
            acknowledged.extend(process.stdout.read().split())
        assert process.returncode == -signal.SIGKILL
    catalog = Catalog.open(path)
    with catalog.transaction() as tx:
        rows = dict(tx.execute("SELECT dataset, count(*) FROM frames GROUP BY dataset").fetchall())
        images = faults_of(tx, BlobStore("memory://none"), silent)
        assert [line for line in images if "not in memory://none" not in line] == []
        assert frames_matching(tx, "part=first").num_rows == 100 * len(rows)
    catalog.close()
    assert set(acknowledged) <= set(rows)
    assert set(rows.values()) == {200}


def test_a_full_disk_is_named_keeps_nothing_and_the_next_step_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    with python(FULL_DISK, str(path)) as process:
        full, unmade = process.communicate()[0].splitlines()
    assert process.returncode == 0
    assert f"{path}.wal" in full
    assert "Nothing of this step was kept; free space and run it again" in full
    assert f"catalog {tmp_path / 'other.duckdb'}: " in unmade
    assert sessions(path) == {"kept": 1, "again": 9000}


def test_a_disk_that_fills_in_the_middle_of_a_bulk_ingest_keeps_nothing_of_it(tmp_path: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    with python(FULL_DISK_IN_BULK, str(path)) as process:
        first, *said = process.communicate()[0].splitlines()
    assert process.returncode == 0
    assert first == "10"
    assert "Nothing of this step was kept; free space and run it again" in said[-1]
    catalog = Catalog.open(path)
    with catalog.transaction() as tx:
        assert frames_matching(tx, "").num_rows == 10
        assert add_frame_rows(tx, columns(300_000)) == 299_990
    catalog.close()
