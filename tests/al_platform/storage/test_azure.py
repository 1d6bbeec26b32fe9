"""Blobs on Azure storage, as its emulator answers: write-once in a race, nothing listed from memory, errors named."""

from concurrent.futures import ThreadPoolExecutor

import fsspec
import pytest
from adlfs import AzureBlobFileSystem

from al_platform.domain.hashing import hash_bytes
from al_platform.domain.labels import Annotation
from al_platform.errors import CorruptBlob, NotFound, StorageUnavailable
from al_platform.storage.blobs import BlobStore, filesystem_at, write_once
from al_platform.storage.sealed import SealedAnswers


def test_of_writers_who_race_one_writes_and_all_see_the_same_bytes(azure_url: str) -> None:
    stores = [BlobStore(azure_url) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        references = list(pool.map(lambda store: store.put(b"pixels" * 5000), stores))
    assert len(set(references)) == 1
    assert {store.get(references[0].hash) for store in stores} == {b"pixels" * 5000}


def test_a_name_that_is_taken_is_never_written_again(azure_url: str) -> None:
    filesystem, root = filesystem_at(azure_url)
    path = f"{root}/taken"
    write_once(filesystem, path, b"first")
    with pytest.raises(FileExistsError):
        filesystem.pipe_file(path, b"second", mode="create")
    write_once(filesystem, path, b"second")
    assert filesystem.cat_file(path) == b"first"


def test_what_another_writer_stored_is_seen_at_once(azure_url: str) -> None:
    one, other = SealedAnswers(azure_url), SealedAnswers(azure_url)
    assert one.open(["frm_1"]) == {}
    other.seal([Annotation("frm_1", ("person",), "offline:d")])
    assert list(one.open(["frm_1"])) == ["frm_1"]


def test_a_changed_blob_is_noticed_at_the_next_read(azure_url: str) -> None:
    store = BlobStore(azure_url)
    reference = store.put(b"immutable")
    filesystem, root = fsspec.core.url_to_fs(azure_url)
    filesystem.pipe_file(f"{root}/{reference.hash[:2]}/{reference.hash}", b"changed", overwrite=True)
    with pytest.raises(CorruptBlob, match=f"{reference.hash} in az://"):
        store.get(reference.hash)


@pytest.mark.parametrize("container", ["not-there", "ab", "Not_A_Name"])
def test_a_container_that_cannot_be_is_named_with_the_cure(azure_url: str, container: str) -> None:
    store = BlobStore(f"az://{container}/blobs")
    with pytest.raises(StorageUnavailable, match=rf"{container}/blobs/.*the container is there .* run again"):
        store.put(b"anything")
    with pytest.raises((NotFound, StorageUnavailable), match=container):
        store.get(hash_bytes(b"anything"))


def test_a_key_that_the_account_refuses_is_named(azure_url: str, azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", azurite.replace("AccountKey=Eby8", "AccountKey=AAAA"))
    monkeypatch.setattr(AzureBlobFileSystem, "cachable", False)  # else the one of the other tests answers
    with pytest.raises(StorageUnavailable, match=r"frames/.*see that the account answers"):
        BlobStore(f"{azure_url}/elsewhere").get(hash_bytes(b"anything"))
