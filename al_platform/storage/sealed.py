"""Sealed answers: labels that exist but have not been bought. They lie apart from everything that trains or selects.

Ingest writes here; the offline annotator alone reads (a contract of the import linter, and a test that poisons them).
"""

from collections.abc import Iterable, Sequence

import fsspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from al_platform.domain.hashing import canonical_json, hash_bytes
from al_platform.domain.labels import Annotation
from al_platform.domain.records import record_from_json
from al_platform.storage.blobs import BlobStore


class SealedAnswers:
    """Known labels by frame, with their own blobs, under their own root."""

    def __init__(self, url: str) -> None:
        self.blobs = BlobStore(f"{url.rstrip('/')}/blobs")
        self._filesystem, self._root = fsspec.core.url_to_fs(f"{url.rstrip('/')}/answers")

    def seal(self, answers: Sequence[Annotation]) -> None:
        """Keep these answers. Sealing the same ones again changes nothing."""
        if not answers:
            return
        table = pa.table(
            {
                "frame_id": [answer.frame_id for answer in answers],
                "answer": [canonical_json(answer) for answer in answers],
            }
        )
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, compression="zstd")
        content = sink.getvalue().to_pybytes()
        path = f"{self._root}/{hash_bytes(content)}.parquet"
        if not self._filesystem.exists(path):
            self._filesystem.makedirs(self._root, exist_ok=True)
            temporary = f"{path}.partial"
            self._filesystem.pipe_file(temporary, content)
            self._filesystem.mv(temporary, path)

    def open(self, frame_ids: Iterable[str]) -> dict[str, Annotation]:
        """Break the seal of exactly these frames; a frame without an answer is left out."""
        wanted = pa.array(sorted(set(frame_ids)), pa.string())
        found: dict[str, Annotation] = {}
        for path in sorted(self._filesystem.glob(f"{self._root}/*.parquet")):
            with self._filesystem.open(path, "rb") as stream:
                table = pq.read_table(stream)
            chosen = table.filter(pc.is_in(table["frame_id"], value_set=wanted))
            for row in chosen.to_pylist():
                found[row["frame_id"]] = record_from_json(Annotation, row["answer"])
        return found

