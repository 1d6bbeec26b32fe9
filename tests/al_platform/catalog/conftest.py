"""An empty catalog and store for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from al_platform.catalog.connection import Catalog
from al_platform.storage.blobs import BlobStore


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    opened = Catalog.open(tmp_path / "catalog.duckdb")
    yield opened
    opened.close()


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path / "blobs"))
