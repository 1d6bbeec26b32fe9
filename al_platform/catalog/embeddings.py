"""Embeddings: one vector a frame and encoder, by Arrow."""

import pyarrow as pa

from al_platform.catalog.connection import Transaction
from al_platform.catalog.models import encoder_blob
from al_platform.catalog.tables import table_of, visible
from al_platform.errors import InvalidInput, NotFound

_FAULTS = """
SELECT frame_id, CASE
    WHEN frame_id IS NULL OR vector IS NULL THEN 'is null; give every row a frame and a vector'
    WHEN frame_id NOT IN (SELECT frame_id FROM frames) THEN 'is no frame of the catalog; ingest it first'
    WHEN len(vector) <> (SELECT max(len(vector)) FROM incoming) OR len(vector) = 0
        THEN 'has ' || len(vector) || ' numbers; vectors of one encoder have the same length, at least 1'
    WHEN len(list_filter(vector, lambda x: x IS NULL OR NOT isfinite(x))) > 0 THEN 'has a number that is not finite'
    WHEN count(*) OVER (PARTITION BY frame_id) > 1 THEN 'comes twice; give it once'
    END AS fault
FROM incoming QUALIFY fault IS NOT NULL LIMIT 1
"""

_INSERT = """
INSERT INTO embeddings SELECT ?, frame_id, CAST(vector AS FLOAT[])
FROM incoming ANTI JOIN (SELECT frame_id FROM embeddings WHERE encoder_id = ?) USING (frame_id)
"""


def add_embeddings(tx: Transaction, encoder_id: str, rows: pa.Table) -> int:
    """Keep vectors (columns frame_id and vector, a list of floats) of an encoder; gives how many were new.

    Raises: NotFound for an unknown encoder; InvalidInput naming the frame whose vector is missing, not finite, of
        another length, or there twice.
    """
    if encoder_blob(tx, encoder_id) is None:
        raise NotFound(f"encoder {encoder_id}: not in the catalog")
    if rows.column_names != ["frame_id", "vector"]:
        raise InvalidInput(f"columns {', '.join(rows.column_names)}: embeddings are frame_id and vector")
    with visible(tx, "incoming", rows):
        wrong = tx.execute(_FAULTS).fetchall()
        if wrong:
            raise InvalidInput(f"embedding of frame {wrong[0][0]}: {wrong[0][1]}")
        _require_length(tx, encoder_id)
        return int(tx.execute(_INSERT, [encoder_id, encoder_id]).fetchall()[0][0])


def embeddings_of(tx: Transaction, encoder_id: str) -> pa.Table:
    """Give frame_id and vector (float32 list) of every frame that the encoder embedded, by frame id."""
    return table_of(tx, "SELECT frame_id, vector FROM embeddings WHERE encoder_id = ? ORDER BY frame_id", [encoder_id])


def _require_length(tx: Transaction, encoder_id: str) -> None:
    kept = tx.execute("SELECT len(vector) FROM embeddings WHERE encoder_id = ? LIMIT 1", [encoder_id]).fetchall()
    given = tx.execute("SELECT max(len(vector)) FROM incoming").fetchall()
    if kept and given[0][0] is not None and kept != given:
        raise InvalidInput(f"embeddings of {given[0][0]} numbers: encoder {encoder_id} gives {kept[0][0]}")
