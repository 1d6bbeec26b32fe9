"""Check, backup, restore: every fault is named, a copy is whole and can be put back."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from al_platform.catalog.annotations import add_annotations
from al_platform.catalog.backup import restore
from al_platform.catalog.bulk import add_frame_rows
from al_platform.catalog.check import faults_of
from al_platform.catalog.connection import Catalog, Transaction
from al_platform.catalog.datasets import add_version, freeze_pool
from al_platform.catalog.frames import frames_matching
from al_platform.catalog.models import add_encoder
from al_platform.catalog.scores import ScoreSet, add_score_set
from al_platform.catalog.tasks import add_tasks
from al_platform.domain.datasets import DatasetItem
from al_platform.domain.labels import Annotation, LabelTask
from al_platform.domain.progress import Progress
from al_platform.domain.scores import ShardFile, ShardMarker
from al_platform.errors import CatalogLocked, CatalogTooNew, InvalidInput, NotFound, StorageUnavailable
from al_platform.storage.blobs import BlobStore
from tests.al_platform.catalog.bulk_rows import columns

NOW = "2026-01-31 12:00:00.000000"

READ_ONLY = """
import os, sys
from pathlib import Path
from al_platform.catalog.connection import Catalog
from al_platform.errors import StorageUnavailable
path = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setuid(65534)  # root may write everywhere
try:
    Catalog.open(path)
except StorageUnavailable as error:
    print(" ".join(str(error).split()))
"""

HOLD = """
import sys
from pathlib import Path
from al_platform.catalog.connection import Catalog
catalog = Catalog.open(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def whole(catalog: Catalog, blobs: BlobStore) -> Catalog:
    """A small catalog in which everything holds."""
    with catalog.transaction() as tx:
        images = [blobs.put(f"pixels {row}".encode()).hash for row in range(3)]
        add_frame_rows(tx, columns(3, image_hash=images))
        pool, _ = freeze_pool(tx, blobs, "", now=NOW)
        (label,) = add_annotations(tx, [Annotation("f0", ("person",), "x")], task_ids=[None], now=NOW)
        items = [DatasetItem("f0", label)]
        add_version(tx, blobs, parent_id=None, additions=items, purpose="start", round_id=None, now=NOW)
        add_encoder(tx, "enc_1", family="f", pool_id=pool, blob_hash=blobs.put(b"encoder").hash, now=NOW)
    return catalog


def faults(catalog: Catalog, blobs: BlobStore, heard: Callable[[Progress], None] = lambda progress: None) -> list[str]:
    with catalog.transaction() as tx:
        return list(faults_of(tx, blobs, heard))


def test_a_whole_catalog_has_no_fault_and_progress_reaches_its_end(whole: Catalog, blobs: BlobStore) -> None:
    heard: list[Progress] = []
    assert faults(whole, blobs, heard.append) == []
    assert heard[-1] == Progress("blobs", 6, 6)


def twice(tx: Transaction) -> None:
    tx.execute("INSERT INTO frames SELECT * FROM frames WHERE frame_id = 'f1'")


def equal_ranks(tx: Transaction) -> None:
    add_tasks(tx, [LabelTask(f"tsk_{n}", "rnd_x", f"f{n}", "person", 0, 0.5) for n in range(2)], queue="main")


@pytest.mark.parametrize(
    ("breakage", "expected"),
    [
        (twice, ["frame f1: is there twice"]),
        (
            "UPDATE frames SET session_id = 'd/t' WHERE frame_id = 'f1'",
            ["frames f1: session_id d/t is not in sessions"],
        ),
        ("UPDATE frames SET tag_set = 9 WHERE frame_id = 'f2'", ["frames f2: tag_set 9 is not in tag_sets"]),
        ("UPDATE frames SET timestamp_s = 'nan' WHERE frame_id = 'f2'", ["frame f2: its clock is not finite"]),
        (
            "INSERT INTO embeddings VALUES ('enc_1', 'f0', [1, 'nan'::FLOAT]), ('enc_1', 'f9', [1])",
            ["embeddings f9: frame_id f9 is not in frames", "embedding enc_1 of f0: is not finite"],
        ),
        (
            equal_ranks,
            [
                "tasks tsk_0: round_id rnd_x is not in rounds",
                "tasks tsk_1: round_id rnd_x is not in rounds",
                "round rnd_x: two of its tasks have one rank",
            ],
        ),
        ("INSERT INTO metrics VALUES ('e', 'v', 'ap', 'person', 'inf')", 3),
        ("UPDATE pools SET frames = 4", 1),
        ("UPDATE dataset_versions SET parent_id = 'dsv_x'", 1),
        ("DELETE FROM encoders", []),
    ],
)
def test_every_broken_rule_is_a_line(
    whole: Catalog, blobs: BlobStore, breakage: str | Callable[[Transaction], None], expected: list[str] | int
) -> None:
    with whole.transaction() as tx:
        if callable(breakage):
            breakage(tx)
        else:
            tx.execute(breakage)
    found = faults(whole, blobs)
    assert (len(found) if isinstance(expected, int) else found) == expected


def test_a_blob_that_is_gone_or_changed_is_a_line(whole: Catalog, blobs: BlobStore, tmp_path: Path) -> None:
    gone, changed = blobs.put(b"pixels 0").hash, blobs.put(b"pixels 1").hash
    (tmp_path / "blobs" / gone[:2] / gone).unlink()
    (tmp_path / "blobs" / changed[:2] / changed).write_bytes(b"pixels !")
    first, second = faults(whole, blobs)
    assert first.startswith(f"frame f0: blob {gone}: not in ")
    assert second.startswith(f"frame f1: blob {changed} in ")


def test_a_manifest_and_scores_that_cannot_be_used_are_lines(whole: Catalog, blobs: BlobStore) -> None:
    foreign = blobs.put(b"no parquet").hash
    gone = ShardFile("person", "scores/scr_1/00000-000.parquet", "ab", 3, 100, 0.0, 1.0)
    marker = ShardMarker("scr_1", 0, 0, 3, ("person",), (gone,), (), "f")
    with whole.transaction() as tx:
        pool = tx.execute("SELECT pool_id FROM pools").fetchall()[0][0]
        tx.execute("UPDATE dataset_versions SET manifest_hash = ?", [foreign])
        add_score_set(tx, ScoreSet("scr_1", "ens_x", pool, 3, "f", NOW), [marker])
    found = faults(whole, blobs)
    assert [line.split(":")[0].split(" dsv_")[0] for line in found] == [
        "score_sets scr_1",
        "dataset version",
        "scores scores/scr_1/00000-000.parquet",
    ]
    assert "no Parquet" in found[1]
    assert "not in storage" in found[2]


def test_a_backup_made_while_rows_are_being_written_holds_what_was_committed(whole: Catalog, tmp_path: Path) -> None:
    backup = tmp_path / 'it\'s a "copy"' / "backup.duckdb"
    with whole.transaction() as tx:
        add_frame_rows(tx, columns(5))
        whole.back_up(backup)
    assert list(backup.parent.iterdir()) == [backup]
    copy = Catalog.open(backup)
    with copy.transaction() as tx:
        assert frames_matching(tx, "").num_rows == 3
        assert add_frame_rows(tx, columns(5)) == 2
    copy.close()
    with pytest.raises(InvalidInput, match="is there already; name a new file"):
        whole.back_up(backup)


def test_a_backup_that_cannot_be_written_is_named(whole: Catalog, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageUnavailable, match=r"file/backup.*nothing was written"):
        whole.back_up(tmp_path / "file" / "backup")


def test_a_restored_backup_is_the_catalog_and_the_one_before_is_kept(whole: Catalog, tmp_path: Path) -> None:
    path, backup = tmp_path / "catalog.duckdb", tmp_path / "backup.duckdb"
    whole.back_up(backup)
    with whole.transaction() as tx:
        add_frame_rows(tx, columns(5))
    whole.close()
    aside = restore(backup, path)
    assert aside is not None
    assert rows_in(path) == 3
    assert rows_in(aside) == 5
    assert rows_in(backup) == 3
    assert restore(backup, tmp_path / "other.duckdb") is None
    assert rows_in(tmp_path / "other.duckdb") == 3


def test_what_cannot_be_restored_leaves_the_catalog_alone(tmp_path: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    Catalog.open(path).close()
    newer = tmp_path / "newer.duckdb"
    catalog = Catalog.open(newer)
    with catalog.transaction() as tx:
        tx.execute("UPDATE meta SET schema_version = 99")
    catalog.close()
    (tmp_path / "text").write_bytes(b"no catalog" * 1000)
    for backup, error in (("newer.duckdb", CatalogTooNew), ("text", StorageUnavailable), ("none", NotFound)):
        with pytest.raises(error):
            restore(tmp_path / backup, path)
    assert rows_in(path) == 0
    assert len(list(tmp_path.iterdir())) == 3


def test_a_catalog_that_is_open_elsewhere_is_not_replaced(whole: Catalog, tmp_path: Path) -> None:
    backup, path = tmp_path / "backup.duckdb", tmp_path / "held.duckdb"
    whole.back_up(backup)
    held = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with held as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(CatalogLocked, match=f"held by process {process.pid}"):
            restore(backup, path)
        process.communicate("")
    assert rows_in(path) == 0


def test_a_catalog_that_may_not_be_written_is_named() -> None:
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "catalog.duckdb"
        Catalog.open(path).close()
        path.chmod(0o444)
        Path(name).chmod(0o555)
        said = subprocess.run(
            [sys.executable, "-c", READ_ONLY, str(path)], capture_output=True, text=True, check=True, env=os.environ
        )
        Path(name).chmod(0o755)
    assert said.stdout.startswith(f"catalog {path}: ")
    assert "Permission denied" in said.stdout


def rows_in(path: Path) -> int:
    catalog = Catalog.open(path)
    with catalog.transaction() as tx:
        rows = frames_matching(tx, "").num_rows
    catalog.close()
    return rows
