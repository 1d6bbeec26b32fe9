"""A mark is known again by its home alone."""

from pathlib import Path

import pytest

from al_platform.errors import StorageUnavailable, Unauthenticated
from al_platform.platform.signing import Signer, signer_of


def test_the_key_of_a_home_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    mark = signer_of(tmp_path).mark("purpose", "a")
    assert signer_of(tmp_path).mark("purpose", "a") == mark
    assert (tmp_path / "signing.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["signing.key"]


@pytest.mark.parametrize(
    "said", [("other", "a", "b"), ("purpose", "ab"), ("purpose", "a", "b", ""), ("purpose", "b", "a")]
)
def test_a_mark_is_of_its_purpose_and_parts_alone(said: tuple[str, ...]) -> None:
    signer = Signer(b"key")
    mark = signer.mark("purpose", "a", "b")
    signer.require(mark, "purpose", "a", "b")
    with pytest.raises(Unauthenticated):
        signer.require(mark, *said)
    with pytest.raises(Unauthenticated):
        Signer(b"another").require(mark, "purpose", "a", "b")


@pytest.mark.parametrize("given", ["", "x", "é", "\ud800"])
def test_texts_that_are_no_marks_are_refused(given: str) -> None:
    with pytest.raises(Unauthenticated):
        Signer(b"key").require(given, "purpose")


def test_a_key_that_was_cut_short_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "signing.key").write_bytes(b"short")
    with pytest.raises(StorageUnavailable, match="has 5 bytes, a key has 32; delete it to have another"):
        signer_of(tmp_path)
