"""A kept noise guard comes back, or is told to be no guard."""

from pathlib import Path

import pytest

from al_platform.errors import CorruptBlob, NotFound
from al_platform.loop.guarding import NoiseGuard, read_guard, write_guard
from al_platform.storage.blobs import BlobStore


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(str(tmp_path))


def test_a_guard_comes_back_as_it_was_kept(blobs: BlobStore) -> None:
    guard = NoiseGuard(limit=0.5, verdicts={"scn_1": True, "scn_2": False}, idle="too few verdicts")
    assert read_guard(blobs, write_guard(blobs, guard)) == guard


@pytest.mark.parametrize("content", [b'{"limit": "high"}', b"\xff\xfe"])
def test_what_is_no_guard_is_told_to_be_none(blobs: BlobStore, content: bytes) -> None:
    with pytest.raises(CorruptBlob, match="holds no noise guard; select the round again"):
        read_guard(blobs, blobs.put(content).hash)
    with pytest.raises(NotFound):
        read_guard(blobs, "0" * 40)
