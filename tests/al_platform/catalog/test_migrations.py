"""Catalogs of earlier schemas: brought forward with a copy of what they were, and nothing of them lost."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from al_platform.catalog.check import faults_of
from al_platform.catalog.connection import Catalog
from al_platform.catalog.datasets import pool_table, version_items
from al_platform.catalog.frames import all_sessions, frames_by_id, frames_matching
from al_platform.catalog.manifests import write_table
from al_platform.catalog.policies import all_policies
from al_platform.catalog.schema import CREATE, SCHEMA_VERSION
from al_platform.catalog.tasks import tasks_of
from al_platform.domain.data import BlobRef, Frame, Session
from al_platform.domain.datasets import DatasetItem
from al_platform.storage.blobs import BlobStore
from tests.al_platform.catalog import schema_1

NOW = "2026-01-31 12:00:00"

FRAMES = (
    ("frm_a", "d", "s", 1, 2.5, '{"split": "train", "lux": 60.0}'),
    ("frm_b", "d", "s", 0, None, "{}"),
    ("frm_c", "e", "s", 0, None, '{"split": "train", "lux": 61.5}'),
)

FRAMES_ALONE = """
ALTER TABLE annotations RENAME COLUMN item_id TO frame_id; ALTER TABLE tasks RENAME COLUMN item_id TO frame_id
"""
"""Before schema 4 a label and a task were of a frame."""

DIE_BEFORE_THE_COMMIT = """
import os, signal, sys
from pathlib import Path
from al_platform.catalog import migrations
from al_platform.catalog.connection import Catalog
last = migrations._FROM[1]
def die(connection):
    last(connection)
    os.kill(os.getpid(), signal.SIGKILL)
migrations._FROM[1] = die
Catalog.open(Path(sys.argv[1]))
"""


@pytest.fixture
def old(tmp_path: Path, blobs: BlobStore) -> Path:
    """A catalog of schema 1 with three frames of two datasets, a pool, a label and a version."""
    path = tmp_path / "catalog.duckdb"
    for frame in FRAMES:
        blobs.put(frame[0].encode())
    pool = write_table(blobs, {"frame_id": ["frm_c", "frm_b", "frm_a"]})
    version = write_table(blobs, {"frame_id": ["frm_a"], "annotation_id": ["ann_1"]})
    with duckdb.connect(str(path), config={"storage_compatibility_version": "v1.5.0"}) as connection:
        connection.execute(schema_1.CREATE)
        connection.execute("INSERT INTO meta VALUES (1, ?)", [NOW])
        connection.execute("INSERT INTO sessions VALUES ('s', 'd')")
        for name, dataset, session, number, clock, tags in FRAMES:
            image = blobs.put(name.encode()).hash
            values = [name, dataset, session, number, clock, 640, 480, 100.0, 5.0, image, 5, "image/png", tags, "file"]
            connection.execute(f"INSERT INTO frames VALUES ({', '.join('?' * len(values))})", values)
        connection.execute("INSERT INTO pools VALUES ('pool_1', 'split=train', ?, 3, ?)", [pool, NOW])
        connection.execute("INSERT INTO annotations VALUES ('ann_1', 'frm_a', NULL, 1, 'x', '{}', ?)", [NOW])
        connection.execute(
            "INSERT INTO dataset_versions VALUES ('dsv_1', NULL, ?, 1, 1, 'train', NULL, ?)", [version, NOW]
        )
    return path


def test_everything_of_schema_1_is_there_in_the_present_one(old: Path, blobs: BlobStore) -> None:
    catalog = Catalog.open(old)
    with catalog.transaction() as tx:
        found = frames_by_id(tx, ["frm_a", "frm_c"])
        image = BlobRef(blobs.put(b"frm_a").hash, 5, "image/png")
        tags = {"split": "train", "lux": 60.0}
        assert found["frm_a"] == Frame("frm_a", "d", "d/s", image, 640, 480, 1, timestamp_s=2.5, tags=tags)
        assert found["frm_c"].session_id == "e/s"
        assert all_sessions(tx) == [Session("d/s", "d"), Session("e/s", "e")]
        assert frames_matching(tx, "split=train,lux>60")["item_id"].to_pylist() == ["frm_c"]
        assert version_items(tx, blobs, "dsv_1") == [DatasetItem("frm_a", "ann_1")]
        assert tx.execute("SELECT schema_version, ingests FROM meta").fetchall() == [(SCHEMA_VERSION, 0)]
        assert list(faults_of(tx, blobs, lambda progress: None)) == []
    catalog.close()


def test_a_pool_of_schema_1_keeps_its_rows_and_gains_the_other_columns(old: Path, blobs: BlobStore) -> None:
    catalog = Catalog.open(old)
    with catalog.transaction() as tx:
        rows = pool_table(tx, blobs, "pool_1")
    catalog.close()
    assert rows["item_id"].to_pylist() == ["frm_c", "frm_b", "frm_a"]
    assert rows["session"].to_pylist() == [1, 0, 0]
    assert rows["timestamp_s"].to_pylist() == [None, None, 2.5]
    assert rows["session"].type == pa.int32()


def test_a_migrated_catalog_has_the_tables_of_a_new_one(old: Path, tmp_path: Path) -> None:
    Catalog.open(old).close()
    new = tmp_path / "new.duckdb"
    Catalog.open(new).close()
    described = []
    for path in (old, new):
        with duckdb.connect(str(path)) as connection:
            columns = "table_name, column_name, data_type, is_nullable"
            question = f"SELECT {columns} FROM information_schema.columns ORDER BY table_name, ordinal_position"
            described.append(connection.execute(question).fetchall())
    assert described[0] == described[1]
    assert {row[0] for row in described[0]} == {part.split()[2] for part in CREATE.split(";") if "CREATE" in part}


def test_the_catalog_as_it_was_lies_beside_the_migrated_one(old: Path) -> None:
    with duckdb.connect(str(old)) as connection:
        before = connection.execute("SELECT * FROM frames ORDER BY ALL").fetchall()
    Catalog.open(old).close()
    Catalog.open(old).close()
    copy = old.with_name("catalog.duckdb.schema-1")
    with duckdb.connect(str(copy), read_only=True) as connection:
        assert connection.execute("SELECT schema_version FROM meta").fetchall() == [(1,)]
        assert connection.execute("SELECT * FROM frames ORDER BY ALL").fetchall() == before
    assert sorted(path.name for path in old.parent.glob("*duckdb*")) == ["catalog.duckdb", copy.name]


def test_a_migration_that_dies_before_its_commit_is_done_again(old: Path, blobs: BlobStore) -> None:
    died = subprocess.run([sys.executable, "-c", DIE_BEFORE_THE_COMMIT, str(old)], check=False, env=dict(os.environ))
    assert died.returncode == -signal.SIGKILL
    with duckdb.connect(str(old), read_only=True) as connection:
        assert connection.execute("SELECT schema_version FROM meta").fetchall() == [(1,)]
    test_everything_of_schema_1_is_there_in_the_present_one(old, blobs)


def test_a_catalog_of_schema_2_gets_its_tables_of_scenarios(tmp_path: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    Catalog.open(path).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("DROP TABLE scenarios; DROP TABLE scenario_sources; UPDATE meta SET schema_version = 2")
        connection.execute(FRAMES_ALONE)
        connection.execute("INSERT INTO sessions (session_id, dataset) VALUES ('d/s', 'd')")
    catalog = Catalog.open(path)
    with catalog.transaction() as tx:
        assert tx.execute("SELECT schema_version FROM meta").fetchall() == [(SCHEMA_VERSION,)]
        assert tx.execute("SELECT count(*) FROM scenarios").fetchall() == [(0,)]
        assert all_sessions(tx) == [Session("d/s", "d")]
    catalog.close()
    assert path.with_name("catalog.duckdb.schema-2").exists()


def test_labels_and_tasks_of_frames_become_those_of_items(tmp_path: Path, blobs: BlobStore) -> None:
    path = tmp_path / "catalog.duckdb"
    Catalog.open(path).close()
    items = write_table(blobs, {"frame_id": ["frm_a"], "annotation_id": ["ann_1"]})
    with duckdb.connect(str(path)) as connection:
        connection.execute(FRAMES_ALONE)
        connection.execute("UPDATE meta SET schema_version = 3")
        connection.execute("INSERT INTO annotations VALUES ('ann_1', 'frm_a', NULL, 1, 'x', '{}', ?)", [NOW])
        connection.execute("INSERT INTO tasks VALUES ('tsk_1', 'rnd_1', 'main', 'frm_a', 'person', 0, 0.5, 'sent')")
        connection.execute(
            "INSERT INTO dataset_versions VALUES ('dsv_1', NULL, ?, 1, 1, 'train', NULL, ?)", [items, NOW]
        )
    catalog = Catalog.open(path)
    with catalog.transaction() as tx:
        assert [task.item_id for task in tasks_of(tx, "rnd_1")] == ["frm_a"]
        assert tx.execute("SELECT item_id FROM annotations").fetchall() == [("frm_a",)]
        assert version_items(tx, blobs, "dsv_1") == [DatasetItem("frm_a", "ann_1")]
    catalog.close()


def test_a_catalog_of_schema_3_gets_its_table_of_policies(tmp_path: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    Catalog.open(path).close()
    with duckdb.connect(str(path)) as connection:
        connection.execute("DROP TABLE policies; UPDATE meta SET schema_version = 3")
        connection.execute(FRAMES_ALONE)
    catalog = Catalog.open(path)
    with catalog.transaction() as tx:
        assert tx.execute("SELECT schema_version FROM meta").fetchall() == [(SCHEMA_VERSION,)]
        assert all_policies(tx) == []
    catalog.close()
    assert path.with_name("catalog.duckdb.schema-3").exists()
