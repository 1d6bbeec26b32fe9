"""Pools and dataset versions: immutable sets of frames, named by content."""

from collections.abc import Collection, Sequence

from al_platform.catalog.connection import Transaction
from al_platform.catalog.manifests import read_table, write_table
from al_platform.catalog.tables import insert_missing, rows_of
from al_platform.domain.datasets import DatasetItem, DatasetVersion
from al_platform.domain.hashing import hash_record
from al_platform.domain.ids import make_id
from al_platform.errors import InvalidInput, NotFound
from al_platform.storage.blobs import BlobStore


def add_pool(tx: Transaction, blobs: BlobStore, frame_ids: Sequence[str], *, described: str, now: str) -> str:
    """Freeze a pool: these frames, in this order. Gives its id.

    Raises: InvalidInput for an empty pool.
    """
    if not frame_ids:
        raise InvalidInput(f"pool {described!r}: no frame matches; `alp frames` shows what there is")
    pool_id = make_id("pool", list(frame_ids))
    manifest = write_table(blobs, {"frame_id": list(frame_ids)})
    columns: dict[str, list[object]] = {
        "pool_id": [pool_id],
        "filter": [described],
        "manifest_hash": [manifest],
        "frames": [len(frame_ids)],
        "created_at": [now],
    }
    insert_missing(tx, "pools", columns)
    return pool_id


def pool_frames(tx: Transaction, blobs: BlobStore, pool_id: str) -> list[str]:
    """Give the frame ids of a pool, in its order.

    Raises: NotFound for an unknown pool.
    """
    rows = tx.execute("SELECT manifest_hash FROM pools WHERE pool_id = ?", [pool_id]).fetchall()
    if not rows:
        raise NotFound(f"pool {pool_id}: not in the catalog")
    frame_ids: list[str] = read_table(blobs, rows[0][0])["frame_id"].to_pylist()
    return frame_ids


def add_version(
    tx: Transaction,
    blobs: BlobStore,
    *,
    parent_id: str | None,
    additions: Sequence[DatasetItem],
    removals: Collection[str] = (),
    purpose: str,
    round_id: str | None,
    now: str,
) -> DatasetVersion:
    """Make the version that is its parent plus these items; a frame labelled anew takes its new label.

    `removals` are frames of the parent whose label no longer stands.
    """
    inherited = version_items(tx, blobs, parent_id) if parent_id else ()
    items = {item.frame_id: item for item in inherited if item.frame_id not in removals}
    added = len({item.frame_id for item in additions} - items.keys())
    items.update({item.frame_id: item for item in additions})
    ordered = sorted(items.values(), key=lambda item: item.frame_id)
    version = DatasetVersion(
        version_id=make_id("dsv", parent_id, purpose, hash_record(ordered)),
        parent_id=parent_id,
        manifest_hash=_write_items(blobs, ordered),
        items=len(ordered),
        added=added,
        purpose=purpose,
    )
    insert_missing(
        tx,
        "dataset_versions",
        {
            **{name: [getattr(version, name)] for name in version.__dataclass_fields__},
            "round_id": [round_id],
            "created_at": [now],
        },
    )
    return version


def version_named(tx: Transaction, version_id: str) -> DatasetVersion:
    """Give a dataset version.

    Raises: NotFound for an unknown id.
    """
    names = tuple(DatasetVersion.__dataclass_fields__)
    rows = rows_of(
        tx,
        f"SELECT {', '.join(names)} FROM dataset_versions WHERE version_id = ?",
        [version_id],
    )
    if not rows:
        raise NotFound(f"dataset version {version_id}: not in the catalog")
    return DatasetVersion(**rows[0])


def newest_version_of(tx: Transaction, round_id: str) -> str:
    """Give the version that a round appended, or the last correction of it.

    Raises: NotFound where the round has made none.
    """
    rows = tx.execute(
        "SELECT version_id FROM dataset_versions AS its WHERE round_id = $1 AND NOT EXISTS ("
        "FROM dataset_versions AS later WHERE later.parent_id = its.version_id AND later.round_id = $1) "
        "ORDER BY created_at DESC, version_id LIMIT 1",
        [round_id],
    ).fetchall()
    if not rows:
        raise NotFound(f"round {round_id}: has made no dataset version yet")
    return str(rows[0][0])


def version_items(tx: Transaction, blobs: BlobStore, version_id: str) -> list[DatasetItem]:
    """Give every item of a version, old or new, ordered by frame id.

    Raises: NotFound for an unknown id.
    """
    table = read_table(blobs, version_named(tx, version_id).manifest_hash)
    return [DatasetItem(**row) for row in table.to_pylist()]


def _write_items(blobs: BlobStore, items: Sequence[DatasetItem]) -> str:
    return write_table(
        blobs,
        {
            "frame_id": [item.frame_id for item in items],
            "annotation_id": [item.annotation_id for item in items],
        },
    )
