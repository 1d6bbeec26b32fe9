"""Whether a catalog keeps what it promises: every invariant, every manifest, the hash of every blob."""

from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from al_platform.catalog.connection import Transaction
from al_platform.catalog.manifests import read_items
from al_platform.catalog.tables import rows_of, table_of
from al_platform.domain.hashing import hash_bytes
from al_platform.domain.judging import EXPERT
from al_platform.domain.progress import Progress, ReportProgress
from al_platform.errors import NotFound, StorageUnavailable
from al_platform.storage.blobs import BlobStore
from al_platform.storage.files import NamedFiles

_REFERENCES = (
    ("frames", "frame_id", "session_id", "sessions", "session_id"),
    ("frames", "frame_id", "tag_set", "tag_sets", "tag_set"),
    ("scenarios", "scenario_id", "session_id", "sessions", "session_id"),
    ("scenarios", "scenario_id", "source_id", "scenario_sources", "source_id"),
    ("embeddings", "frame_id", "frame_id", "frames", "frame_id"),
    ("embeddings", "frame_id", "encoder_id", "encoders", "encoder_id"),
    ("annotations", "annotation_id", "item_id", "items", "item_id"),
    ("task_labels", "task_id", "annotation_id", "annotations", "annotation_id"),
    ("dataset_versions", "version_id", "parent_id", "dataset_versions", "version_id"),
    ("dataset_versions", "version_id", "round_id", "rounds", "round_id"),
    ("encoders", "encoder_id", "pool_id", "pools", "pool_id"),
    ("ensembles", "ensemble_id", "dataset_version_id", "dataset_versions", "version_id"),
    ("ensembles", "ensemble_id", "encoder_id", "encoders", "encoder_id"),
    ("evaluations", "evaluation_id", "suite_id", "suites", "suite_id"),
    ("evaluations", "evaluation_id", "policy_id", "drivers", "policy_id"),
    ("licences", "licence_id", "name", "licence_specs", "name"),
    ("licences", "licence_id", "evaluation_id", "evaluations", "evaluation_id"),
    ("metrics", "metric", "ensemble_id", "ensembles", "ensemble_id"),
    ("metrics", "metric", "test_version_id", "dataset_versions", "version_id"),
    ("score_sets", "score_id", "ensemble_id", "pickers", "picker_id"),
    ("score_sets", "score_id", "pool_id", "pools", "pool_id"),
    ("score_shards", "path", "score_id", "score_sets", "score_id"),
    ("selections", "round_id", "round_id", "rounds", "round_id"),
    ("rounds", "round_id", "loop_id", "loops", "loop_id"),
    ("rounds", "round_id", "ensemble_id", "pickers", "picker_id"),
    ("rounds", "round_id", "score_id", "score_sets", "score_id"),
    ("rounds", "round_id", "dataset_version_id", "dataset_versions", "version_id"),
    ("tasks", "task_id", "round_id", "rounds", "round_id"),
    ("tasks", "task_id", "item_id", "items", "item_id"),
    ("step_runs", "step", "round_id", "rounds", "round_id"),
    ("experiment_points", "arm", "experiment_id", "experiments", "experiment_id"),
)
"""Table, the column that names its rows, and the column that must be found in another table's column."""

_ITEMS = "(SELECT frame_id AS item_id FROM frames UNION ALL SELECT scenario_id FROM scenarios)"
_DRIVERS = f"(SELECT policy_id FROM policies UNION ALL SELECT '{EXPERT}')"
_PICKERS = "(SELECT ensemble_id AS picker_id FROM ensembles UNION ALL SELECT policy_id FROM policies)"
_SETS = {"items": _ITEMS, "drivers": _DRIVERS, "pickers": _PICKERS}
"""What a column may have to be found in that is no table."""

_RULES: Mapping[str, str] = {
    "frame {}: is there twice": "SELECT frame_id FROM frames GROUP BY frame_id HAVING count(*) > 1",
    "tag set {}: is there twice": "SELECT tag_set FROM tag_sets GROUP BY tag_set HAVING count(*) > 1",
    "embedding {}: is there twice": "SELECT encoder_id || ' of ' || frame_id FROM embeddings "
    "GROUP BY encoder_id, frame_id HAVING count(*) > 1",
    "frame {}: its session is not one of its dataset": "SELECT frame_id FROM frames "
    "WHERE NOT starts_with(session_id, dataset || '/')",
    "frame {}: its clock is not finite": "SELECT frame_id FROM frames WHERE NOT isfinite(timestamp_s)",
    "round {}: two of its tasks have one rank": "SELECT round_id FROM tasks "
    "GROUP BY round_id, rank HAVING count(*) > 1",
    "round {}: two of its tasks are for one item": "SELECT round_id FROM tasks "
    "GROUP BY round_id, item_id HAVING count(*) > 1",
    "task {}: its score is not finite": "SELECT task_id FROM tasks WHERE NOT isfinite(score)",
    "round {}: its pool or dataset version is not in the catalog": "SELECT round_id FROM rounds "
    "WHERE (spec->>'$.pool_id') NOT IN (SELECT pool_id FROM pools) "
    "OR (spec->>'$.dataset_version_id') NOT IN (SELECT version_id FROM dataset_versions)",
    "metric {}: is not finite": "SELECT metric || ' of ' || ensemble_id FROM metrics WHERE NOT isfinite(value)",
    "embedding {}: is not finite": "SELECT encoder_id || ' of ' || frame_id FROM embeddings "
    "WHERE len(list_filter(vector, lambda x: x IS NULL OR NOT isfinite(x))) > 0",
}
"""What is said of each row that a question finds; no row is no fault."""

_BLOBS = """
SELECT DISTINCT hash, named FROM (
    SELECT manifest_hash AS hash, 'pool ' || pool_id AS named FROM pools
    UNION ALL SELECT manifest_hash, 'dataset version ' || version_id FROM dataset_versions
    UNION ALL SELECT blob_hash, 'encoder ' || encoder_id FROM encoders
    UNION ALL SELECT weights_hash, 'ensemble ' || ensemble_id FROM ensembles
    UNION ALL SELECT annotation->>'$.mask.hash', 'label ' || annotation_id FROM annotations
    UNION ALL SELECT scenarios_hash, 'suite ' || name FROM suites
    UNION ALL SELECT evaluation->>'$.results_hash', 'evaluation ' || evaluation_id FROM evaluations
    UNION ALL SELECT image_hash, 'frame ' || frame_id FROM frames
) WHERE hash IS NOT NULL ORDER BY named
"""

_REPORT_EVERY = 100


def faults_of(tx: Transaction, blobs: BlobStore, report: ReportProgress) -> Iterator[str]:
    """Give a line for each fault of the catalog and of the blobs it names, as they are found; none is a good sign.

    The bytes of every blob are read and hashed, so this takes as long as reading the whole store.
    """
    yield from _broken_rules(tx, report)
    yield from _broken_manifests(tx, blobs)
    yield from _broken_scores(tx, blobs)
    yield from _broken_blobs(tx, blobs, report)


def _broken_rules(tx: Transaction, report: ReportProgress) -> Iterator[str]:
    for done, (table, name, column, other, key) in enumerate(_REFERENCES):
        report(Progress("rules", done, len(_REFERENCES) + len(_RULES)))
        sql = (
            f"SELECT {name} AS name, {column} AS value FROM {table} WHERE {column} IS NOT NULL "
            f"AND {column} NOT IN (SELECT {key} FROM {_SETS.get(other, other)}) ORDER BY ALL"
        )
        for row in rows_of(tx, sql):
            yield f"{table} {row['name']}: {column} {row['value']} is not in {other}"
    for done, (said, sql) in enumerate(_RULES.items(), len(_REFERENCES)):
        report(Progress("rules", done, len(_REFERENCES) + len(_RULES)))
        for (name,) in tx.execute(f"SELECT DISTINCT * FROM ({sql}) ORDER BY 1").fetchall():
            yield said.format(name)


def _broken_manifests(tx: Transaction, blobs: BlobStore) -> Iterator[str]:
    """Manifests that can be read must list as many items as the catalog says, all of them known."""
    known = table_of(tx, f"SELECT item_id FROM {_ITEMS}")["item_id"]
    listed = rows_of(
        tx,
        "SELECT 'pool ' || pool_id AS name, manifest_hash, frames FROM pools UNION ALL "
        "SELECT 'dataset version ' || version_id, manifest_hash, items FROM dataset_versions ORDER BY name",
    )
    for row in listed:
        try:
            manifest = read_items(blobs, row["manifest_hash"])
        except (NotFound, StorageUnavailable) as error:
            yield f"{row['name']}: its manifest cannot be read: {error}"
            continue
        if "item_id" not in manifest.column_names or manifest.num_rows != row["frames"]:
            yield f"{row['name']}: its manifest lists {manifest.num_rows} rows, not {row['frames']} items"
        elif not pc.all(pc.is_in(manifest["item_id"], value_set=known), min_count=0).as_py():
            yield f"{row['name']}: its manifest lists an item that the catalog lacks"


def _broken_scores(tx: Transaction, blobs: BlobStore) -> Iterator[str]:
    files = NamedFiles(blobs.url)
    for path, written in tx.execute("SELECT path, hash FROM score_shards ORDER BY path").fetchall():
        try:
            content = files.read(path)
        except (NotFound, StorageUnavailable) as error:
            yield f"scores {path}: cannot be read: {error}"
            continue
        if hash_bytes(content) != written:
            yield f"scores {path}: its bytes hash to {hash_bytes(content)}, were written as {written}; delete it"
            continue
        scores = pq.read_table(pa.BufferReader(content))
        for name, column in zip(scores.column_names, scores.columns, strict=True):
            # clocks may be absent: those are null, not NaN
            if pa.types.is_floating(column.type) and not pc.all(pc.is_finite(column), min_count=0).as_py():
                yield f"scores {path}: {name} is not finite everywhere"


def _broken_blobs(tx: Transaction, blobs: BlobStore, report: ReportProgress) -> Iterator[str]:
    named = table_of(tx, _BLOBS)
    done = 0
    for batch in named.to_batches(max_chunksize=10_000):
        for blob_hash, name in zip(batch["hash"].to_pylist(), batch["named"].to_pylist(), strict=True):
            if done % _REPORT_EVERY == 0:
                report(Progress("blobs", done, named.num_rows))
            done += 1
            try:
                blobs.get(blob_hash)
            except (NotFound, StorageUnavailable) as error:
                yield f"{name}: {error}"
    report(Progress("blobs", done, named.num_rows))
