"""Embeddings: by Arrow, finite, of one length, each frame once."""

from typing import Any

import pyarrow as pa
import pytest

from al_platform.catalog.bulk import add_frame_rows
from al_platform.catalog.connection import Catalog
from al_platform.catalog.embeddings import add_embeddings, embeddings_of
from al_platform.catalog.models import add_encoder
from al_platform.errors import InvalidInput, NotFound
from tests.al_platform.catalog.bulk_rows import columns

NOW = "2026-01-31 12:00:00.000000"
VECTORS = pa.list_(pa.float32())


def vectors(**by_frame: list[Any] | None) -> pa.Table:
    return pa.table(
        {"frame_id": pa.array(list(by_frame), pa.string()), "vector": pa.array(list(by_frame.values()), VECTORS)}
    )


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    with catalog.transaction() as tx:
        add_frame_rows(tx, columns(4))
        for name in ("enc_1", "enc_2"):
            add_encoder(tx, name, family="f", pool_id="pool_1", blob_hash="ab", now=NOW)
    return catalog


def test_vectors_come_back_by_encoder_and_frame(filled: Catalog) -> None:
    with filled.transaction() as tx:
        assert add_embeddings(tx, "enc_1", vectors(f1=[1.0, 2.0], f0=[0.5, -0.0])) == 2
        assert add_embeddings(tx, "enc_1", vectors(f1=[9.0, 9.0], f2=[3.0, 4.0])) == 1
        assert add_embeddings(tx, "enc_2", vectors(f0=[7.0])) == 1
        assert add_embeddings(tx, "enc_2", vectors()) == 0
        found = embeddings_of(tx, "enc_1")
    assert found["frame_id"].to_pylist() == ["f0", "f1", "f2"]
    assert found["vector"].to_pylist() == [[0.5, -0.0], [1.0, 2.0], [3.0, 4.0]]
    assert found.schema.field("vector").type.value_type == pa.float32()


def test_fixed_lists_are_lists(filled: Catalog) -> None:
    fixed = pa.table({"frame_id": ["f0"], "vector": pa.array([[1.0, 2.0]], pa.list_(pa.float32(), 2))})
    with filled.transaction() as tx:
        assert add_embeddings(tx, "enc_1", fixed) == 1


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (vectors(f0=[1.0], f1=None), "frame f1: is null"),
        (vectors(f0=[1.0], f1=[float("nan")]), "frame f1: has a number that is not finite"),
        (vectors(f0=[1.0], f1=[None]), "frame f1: has a number that is not finite"),
        (vectors(f0=[1.0, 2.0], f1=[1.0]), "frame f1: has 1 numbers; vectors of one encoder"),
        (vectors(f0=[]), "frame f0: has 0 numbers"),
        (vectors(f9=[1.0]), "frame f9: is no frame of the catalog"),
        (pa.concat_tables([vectors(f0=[1.0]), vectors(f0=[2.0])]), "frame f0: comes twice"),
        (columns(1), "embeddings are frame_id and vector"),
    ],
)
def test_vectors_that_cannot_be_used_are_named(filled: Catalog, rows: pa.Table, said: str) -> None:
    with filled.transaction() as tx:
        with pytest.raises(InvalidInput, match=said):
            add_embeddings(tx, "enc_1", rows)
        assert embeddings_of(tx, "enc_1").num_rows == 0


def test_an_encoder_has_vectors_of_one_length_and_must_be_known(filled: Catalog) -> None:
    with filled.transaction() as tx:
        add_embeddings(tx, "enc_1", vectors(f0=[1.0, 2.0]))
        with pytest.raises(InvalidInput, match="embeddings of 3 numbers: encoder enc_1 gives 2"):
            add_embeddings(tx, "enc_1", vectors(f1=[1.0, 2.0, 3.0]))
        with pytest.raises(NotFound, match="encoder enc_x: not in the catalog"):
            add_embeddings(tx, "enc_x", vectors(f1=[1.0]))
