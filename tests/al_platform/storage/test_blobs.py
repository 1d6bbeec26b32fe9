"""Blobs: named by content, written once, verified at every read."""

import os
from pathlib import Path

import pytest

from al_platform.domain.hashing import hash_bytes
from al_platform.errors import CorruptBlob, NotFound, StorageUnavailable
from al_platform.storage.blobs import BlobStore


@pytest.fixture(params=["folder", "memory", "azure"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "azure":
        return BlobStore(f"{request.getfixturevalue('azure_url')}/a b é")
    urls = {"folder": str(tmp_path / "a [1] *é" / "blobs"), "memory": f"memory://{tmp_path.name}/blobs"}
    return BlobStore(urls[request.param])


@pytest.mark.parametrize("content", [b"", b"\x00", b"pixels" * 1000])
def test_bytes_come_back_under_their_hash(store: BlobStore, content: bytes) -> None:
    reference = store.put(content, media_type="image/png")
    assert (reference.hash, reference.size, reference.media_type) == (
        hash_bytes(content),
        len(content),
        "image/png",
    )
    assert store.has(reference.hash)
    assert store.get(reference.hash) == content


def test_the_same_bytes_are_one_blob(store: BlobStore) -> None:
    assert store.put(b"same") == store.put(b"same")
    assert store.get(store.put(b"same").hash) == b"same"


def test_a_hash_that_was_never_stored_is_not_found(store: BlobStore) -> None:
    unknown = hash_bytes(b"never stored")
    assert not store.has(unknown)
    with pytest.raises(NotFound, match=f"blob {unknown}: not in "):
        store.get(unknown)


def test_two_stores_on_one_place_share_their_blobs(store: BlobStore) -> None:
    assert BlobStore(store.url).get(store.put(b"shared").hash) == b"shared"


def blob_path(folder: Path, blob_hash: str) -> Path:
    return folder / blob_hash[:2] / blob_hash


@pytest.mark.parametrize("position", [0, 4, 8])
def test_a_flipped_byte_is_noticed_at_the_next_read(tmp_path: Path, position: int) -> None:
    store = BlobStore(str(tmp_path))
    reference = store.put(b"immutable")
    path = blob_path(tmp_path, reference.hash)
    changed = bytearray(path.read_bytes())
    changed[position] ^= 1
    path.write_bytes(changed)
    with pytest.raises(CorruptBlob, match=f"{reference.hash} in {tmp_path}: its bytes hash to"):
        store.get(reference.hash)


@pytest.mark.parametrize("length", [0, 3])
def test_a_blob_that_was_cut_off_is_noticed(tmp_path: Path, length: int) -> None:
    store = BlobStore(str(tmp_path))
    reference = store.put(b"immutable")
    blob_path(tmp_path, reference.hash).write_bytes(b"immutable"[:length])
    with pytest.raises(CorruptBlob):
        store.get(reference.hash)


def test_a_blob_is_never_written_again(tmp_path: Path) -> None:
    store = BlobStore(str(tmp_path))
    path = blob_path(tmp_path, store.put(b"once").hash)
    os.utime(path, ns=(1, 1))
    store.put(b"once")
    assert path.stat().st_mtime_ns == 1


def test_nothing_but_the_blob_is_left_in_the_folder(tmp_path: Path) -> None:
    reference = BlobStore(str(tmp_path)).put(b"tidy")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [blob_path(tmp_path, reference.hash)]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = BlobStore(str(tmp_path / "file" / "blobs"))
    with pytest.raises(StorageUnavailable, match=r"file/blobs/.*: Not a directory.*run again"):
        store.put(b"anything")
    with pytest.raises(StorageUnavailable, match=r"file/blobs/.*: Not a directory"):
        store.get(hash_bytes(b"anything"))


def test_a_url_that_nobody_opens_is_named() -> None:
    with pytest.raises(StorageUnavailable, match="nowhere://x: Protocol not known: nowhere"):
        BlobStore("nowhere://x")
