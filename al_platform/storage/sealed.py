"""Sealed answers: labels that exist but have not been bought, apart from all that trains or selects.

Ingest writes here; the offline annotator alone reads (a contract of the import linter).
"""

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from al_platform.domain.hashing import canonical_json, hash_bytes
from al_platform.domain.labels import Annotation, Label, label_from_json
from al_platform.errors import CorruptBlob
from al_platform.storage.blobs import BlobStore, filesystem_at, storage_errors, write_once


class SealedAnswers:
    """Known labels by frame or scenario, with their own blobs, under their own root.

    Every sealing is a Parquet file `<number>-<hash of its bytes>.parquet`; the number counts the sealings.
    """

    def __init__(self, url: str) -> None:
        self.blobs = BlobStore(f"{url.rstrip('/')}/blobs")
        self._filesystem, self._root = filesystem_at(f"{url.rstrip('/')}/answers")

    def seal(self, answers: Sequence[Label]) -> int:
        """Keep these answers, the later of two for an item counts; gives how many, 0 where the same were sealed before.

        Raises: StorageUnavailable when the disk is full or read-only.
        """
        if not answers:
            return 0
        content = _parquet(answers)
        sealed, content_hash = self._sealed(), hash_bytes(content)
        if any(_hash_part(path) == content_hash for path in sealed):
            return 0
        path = f"{self._root}/{len(sealed):08d}-{content_hash}.parquet"
        with storage_errors(path):
            write_once(self._filesystem, path, content)
        return len(answers)

    def open(self, frame_ids: Iterable[str]) -> dict[str, Annotation]:
        """Break the seal of exactly these frames; a frame without an answer is left out.

        Raises: CorruptBlob where a file of answers was changed.
        """
        found = self.open_labels(frame_ids)
        return {name: label for name, label in found.items() if isinstance(label, Annotation)}

    def open_labels(self, item_ids: Iterable[str]) -> dict[str, Label]:
        """Break the seal of exactly these frames and scenarios; an item without an answer is left out.

        Raises: as `open`.
        """
        wanted = pa.array(sorted(set(item_ids)), pa.string())
        found: dict[str, Label] = {}
        for path in self._sealed():
            table = pq.read_table(pa.BufferReader(self._read(path)))
            items, answers = table.columns  # the first was named after frames before scenarios had answers
            chosen = pc.is_in(items, value_set=wanted)
            names, texts = items.filter(chosen).to_pylist(), answers.filter(chosen).to_pylist()
            found.update({name: label_from_json(text) for name, text in zip(names, texts, strict=True)})
        return found

    def _sealed(self) -> list[str]:
        """Give the files of answers, the oldest first."""
        with storage_errors(self._root):
            try:
                paths = self._filesystem.ls(self._root, detail=False, refresh=True)
            except FileNotFoundError:
                return []
        names = [str(path) for path in paths]
        return sorted(name for name in names if name.endswith(".parquet") and not _name(name).startswith("."))

    def _read(self, path: str) -> bytes:
        with storage_errors(path):
            content: bytes = self._filesystem.cat_file(path)
        if hash_bytes(content) != _hash_part(path):
            raise CorruptBlob(
                f"sealed answers {path}: the bytes hash to {hash_bytes(content)}; delete it and ingest again"
            )
        return content


def _parquet(answers: Sequence[Label]) -> bytes:
    table = pa.table(
        {
            "item_id": [answer.item_id for answer in answers],
            "answer": [canonical_json(answer) for answer in answers],
        }
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def _hash_part(path: str) -> str:
    return _name(path).removesuffix(".parquet").rsplit("-", 1)[-1]
