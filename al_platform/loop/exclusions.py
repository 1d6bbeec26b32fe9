"""The frames of a pool that a selection could not pick, kept by content so that it can be made again."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from al_platform.catalog.connection import Transaction
from al_platform.catalog.manifests import read_items, write_table
from al_platform.catalog.tasks import items_taken
from al_platform.storage.blobs import BlobStore


@dataclass(frozen=True)
class Exclusions:
    """Frames that were in the round's queue already, and frames that could not be read; each in the pool's order.

    Labelled frames are not among them: they follow from the dataset version.
    """

    queued: tuple[str, ...]
    unreadable: tuple[str, ...] = ()


def exclusions_now(tx: Transaction, pool: pa.ChunkedArray, queue: str) -> Exclusions:
    """Give what the queue holds at this moment of a pool, which is given by its frame ids."""
    queued = pool.filter(pc.is_in(pool, value_set=items_taken(tx, queue)))
    return Exclusions(tuple(queued.to_pylist()))


def write_exclusions(blobs: BlobStore, exclusions: Exclusions) -> str:
    """Store exclusions as one blob and give its hash: one hash for one content."""
    reasons = ["queued"] * len(exclusions.queued) + ["unreadable"] * len(exclusions.unreadable)
    return write_table(blobs, {"item_id": [*exclusions.queued, *exclusions.unreadable], "reason": reasons})


def read_exclusions(blobs: BlobStore, blob_hash: str) -> Exclusions:
    """Give exclusions back."""
    rows = read_items(blobs, blob_hash).to_pylist()
    return Exclusions(*(tuple(r["item_id"] for r in rows if r["reason"] == why) for why in ("queued", "unreadable")))
