"""Pools and dataset versions: immutable sets of items, named by content."""

from collections.abc import Callable, Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from al_platform.catalog.connection import Transaction
from al_platform.catalog.frames import frames_in_pool_order, frames_matching
from al_platform.catalog.manifests import content_hash, read_items, write_table
from al_platform.catalog.tables import insert_missing, rows_of, table_of, visible
from al_platform.domain.datasets import DatasetItem, DatasetVersion
from al_platform.domain.ids import make_id
from al_platform.errors import InvalidInput, NotFound
from al_platform.storage.blobs import BlobStore
from al_platform.storage.pools import has_rows, write_pool

_ITEMS = pa.schema([("item_id", pa.string()), ("annotation_id", pa.string())])

_NEWEST = """
SELECT item_id, arg_max(annotation_id, place) AS annotation_id
FROM (SELECT *, row_number() OVER () AS place FROM additions) GROUP BY item_id
"""

_GROWN = """
SELECT item_id, annotation_id FROM newest
UNION ALL SELECT item_id, annotation_id FROM parent ANTI JOIN newest USING (item_id) ORDER BY item_id
"""

_DIFFERENT = """
SELECT coalesce(older.item_id, newer.item_id) AS item_id,
    CASE WHEN older.item_id IS NULL THEN 'added' WHEN newer.item_id IS NULL THEN 'removed' ELSE 'relabelled' END
        AS change,
    older.annotation_id AS before, newer.annotation_id AS after
FROM older FULL JOIN newer ON older.item_id = newer.item_id
WHERE older.annotation_id IS DISTINCT FROM newer.annotation_id ORDER BY change, 1
"""


Matching = Callable[[Transaction, str], pa.Table]
"""Gives the items that a filter matches as a pool lists them, such as `frames_matching`."""


def freeze_pool(
    tx: Transaction, blobs: BlobStore, text: str, *, now: str, matching: Matching = frames_matching
) -> tuple[str, pa.Table]:
    """Freeze the items that a filter matches; gives the pool's id and its rows, as `matching` orders them.

    An item's row in the pool is its position in this table, for good.

    Raises: InvalidInput for a filter that does not parse or matches nothing.
    """
    items = matching(tx, text)
    return _keep_pool(tx, blobs, items, described=text, now=now), items


def add_pool(
    tx: Transaction, blobs: BlobStore, frame_ids: Sequence[str] | pa.ChunkedArray, *, described: str, now: str
) -> str:
    """Freeze these frames as a pool, in the order of pools whatever order they come in. Gives its id.

    Raises: InvalidInput for an empty pool, NotFound for a frame that the catalog lacks.
    """
    return _keep_pool(tx, blobs, frames_in_pool_order(tx, frame_ids), described=described, now=now)


def pool_table(tx: Transaction, blobs: BlobStore, pool_id: str) -> pa.Table:
    """Give the rows of a pool: the columns and the order of `frames_matching` or `scenarios_in_pool`.

    Raises: NotFound for an unknown pool.
    """
    manifest = read_items(blobs, pool_manifest(tx, pool_id))
    if manifest.column_names == ["item_id"]:  # frozen under schema 1; neither blobs nor rows ever change
        frames = frames_in_pool_order(tx, manifest["item_id"])
        return frames.take(pc.index_in(manifest["item_id"], value_set=frames["item_id"]))
    return manifest


def pool_manifest(tx: Transaction, pool_id: str) -> str:
    """Give the hash of the blob that lists a pool.

    Raises: NotFound for an unknown pool.
    """
    rows = tx.execute("SELECT manifest_hash FROM pools WHERE pool_id = ?", [pool_id]).fetchall()
    if not rows:
        raise NotFound(f"pool {pool_id}: not in the catalog")
    return str(rows[0][0])


def pool_rows(tx: Transaction, blobs: BlobStore, pool_id: str) -> str:
    """Give the hash of a manifest of a pool of which `storage.pools` reads a few rows without the rest.

    It is the pool's own, but for pools that were frozen under schema 1: theirs is written now.

    Raises: NotFound for an unknown pool.
    """
    manifest_hash = pool_manifest(tx, pool_id)
    if has_rows(blobs, manifest_hash):
        return manifest_hash
    return write_pool(blobs, pool_table(tx, blobs, pool_id))


def pool_size(tx: Transaction, pool_id: str) -> int:
    """Give how many items a pool has; 0 for an unknown one."""
    return sum(row[0] for row in tx.execute("SELECT frames FROM pools WHERE pool_id = ?", [pool_id]).fetchall())


def pool_filter(tx: Transaction, pool_id: str) -> str:
    """Give the filter that a pool was frozen by, or the words that describe it.

    Raises: NotFound for an unknown pool.
    """
    rows = tx.execute("SELECT filter FROM pools WHERE pool_id = ?", [pool_id]).fetchall()
    if not rows:
        raise NotFound(f"pool {pool_id}: not in the catalog")
    return str(rows[0][0])


def pool_items(tx: Transaction, blobs: BlobStore, pool_id: str) -> list[str]:
    """Give the ids of the items of a small pool, in its order.

    Raises: NotFound for an unknown pool.
    """
    item_ids: list[str] = pool_table(tx, blobs, pool_id)["item_id"].to_pylist()
    return item_ids


def add_version(
    tx: Transaction,
    blobs: BlobStore,
    *,
    parent_id: str | None,
    additions: Sequence[DatasetItem] | pa.Table,
    removals: Collection[str] = (),
    purpose: str,
    round_id: str | None,
    now: str,
) -> DatasetVersion:
    """Make the version that is its parent plus these items; a frame labelled anew takes its new label.

    `additions` are records, or a table of item_id and annotation_id; of two for a frame the later counts.
    `removals` are frames of the parent whose label no longer stands.
    """
    parent = version_table(tx, blobs, parent_id) if parent_id else _ITEMS.empty_table()
    parent = parent.filter(pc.invert(pc.is_in(parent["item_id"], value_set=pa.array(removals, pa.string()))))
    with visible(tx, "additions", additions if isinstance(additions, pa.Table) else _items_table(additions)):
        newest = table_of(tx, _NEWEST)
    with visible(tx, "newest", newest), visible(tx, "parent", parent):
        items = table_of(tx, _GROWN)
    version = DatasetVersion(
        version_id=make_id("dsv", parent_id, purpose, content_hash(items)),
        parent_id=parent_id,
        manifest_hash=write_table(blobs, items),
        items=items.num_rows,
        added=items.num_rows - parent.num_rows,
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
    rows = rows_of(tx, f"SELECT {_VERSION} FROM dataset_versions WHERE version_id = ?", [version_id])
    if not rows:
        raise NotFound(f"dataset version {version_id}: not in the catalog; `alp dataset list` shows what there is")
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


def all_versions(tx: Transaction) -> list[DatasetVersion]:
    """Give every dataset version, oldest first."""
    rows = rows_of(tx, f"SELECT {_VERSION} FROM dataset_versions ORDER BY created_at, version_id")
    return [DatasetVersion(**row) for row in rows]


def version_table(tx: Transaction, blobs: BlobStore, version_id: str) -> pa.Table:
    """Give every item of a version, old or new: item_id and annotation_id, ordered by item id.

    Raises: NotFound for an unknown id.
    """
    return read_items(blobs, version_named(tx, version_id).manifest_hash)


def version_items(tx: Transaction, blobs: BlobStore, version_id: str) -> list[DatasetItem]:
    """Give every item of a small version as records, ordered by frame id.

    Raises: NotFound for an unknown id.
    """
    return [DatasetItem(**row) for row in version_table(tx, blobs, version_id).to_pylist()]


def items_added(tx: Transaction, blobs: BlobStore, version_id: str) -> set[str]:
    """Give the items that the round behind a version added, corrections included; all where it grew from nothing.

    Raises: NotFound for an unknown id.
    """
    items = version_table(tx, blobs, version_id)["item_id"]
    parent_id, round_id = _origin(tx, version_id)
    while parent_id is not None and round_id is not None and _origin(tx, parent_id)[1] == round_id:
        parent_id = _origin(tx, parent_id)[0]
    if parent_id is None:
        return set(items.to_pylist())
    inherited = version_table(tx, blobs, parent_id)["item_id"]
    return set(items.filter(pc.invert(pc.is_in(items, value_set=inherited))).to_pylist())


def version_diff(tx: Transaction, blobs: BlobStore, older_id: str, newer_id: str) -> pa.Table:
    """Give what differs between two versions: a row per frame, by change and frame id.

    Columns: item_id, change (added, removed, relabelled), before and after (annotation ids, null without one).

    Raises: NotFound for an unknown id.
    """
    older, newer = (version_table(tx, blobs, version_id) for version_id in (older_id, newer_id))
    with visible(tx, "older", older), visible(tx, "newer", newer):
        return table_of(tx, _DIFFERENT)


_VERSION = ", ".join(DatasetVersion.__dataclass_fields__)


def _origin(tx: Transaction, version_id: str) -> tuple[str | None, str | None]:
    """The parent of a version and the round that made it."""
    sql = "SELECT parent_id, round_id FROM dataset_versions WHERE version_id = ?"
    parent_id, round_id = tx.execute(sql, [version_id]).fetchall()[0]
    return parent_id, round_id


def _keep_pool(tx: Transaction, blobs: BlobStore, items: pa.Table, *, described: str, now: str) -> str:
    if items.num_rows == 0:
        raise InvalidInput(
            f"pool {described!r}: nothing matches; `alp frames` and `alp scenarios list` show what there is"
        )
    pool_id = make_id("pool", content_hash(items))
    columns: dict[str, list[object]] = {
        "pool_id": [pool_id],
        "filter": [described],
        "manifest_hash": [write_pool(blobs, items)],
        "frames": [items.num_rows],
        "created_at": [now],
    }
    insert_missing(tx, "pools", columns)
    return pool_id


def _items_table(items: Sequence[DatasetItem]) -> pa.Table:
    columns = {name: [getattr(item, name) for item in items] for name in _ITEMS.names}
    return pa.table(columns, schema=_ITEMS)
