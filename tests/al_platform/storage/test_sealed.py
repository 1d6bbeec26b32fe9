"""Sealed answers: exactly what was sealed, of exactly who is asked for."""

from dataclasses import replace
from pathlib import Path

import pytest

from al_platform.domain.labels import Annotation, Box
from al_platform.errors import CorruptBlob
from al_platform.storage.sealed import SealedAnswers


def answer(frame_id: str, *, x: float = 1.0) -> Annotation:
    return Annotation(frame_id, ("person",), "offline:d", boxes=(Box("person", 0, 0, x, 2),), width=4, height=4)


@pytest.fixture(params=["folder", "memory"])
def sealed(request: pytest.FixtureRequest, tmp_path: Path) -> SealedAnswers:
    urls = {"folder": str(tmp_path / "home [1] *"), "memory": f"memory://{tmp_path.name}/sealed"}
    return SealedAnswers(urls[request.param])


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_exactly_the_asked_answers_are_opened(sealed: SealedAnswers) -> None:
    sealed.seal([answer("frm_1"), answer("frm_2")])
    sealed.seal([answer("frm_3")])
    assert sealed.open(["frm_3", "frm_1", "frm_1", "frm_unknown"]) == {
        "frm_1": answer("frm_1"),
        "frm_3": answer("frm_3"),
    }
    assert sealed.open([]) == {}


def test_an_empty_seal_has_no_answers(sealed: SealedAnswers) -> None:
    assert sealed.open(["frm_1"]) == {}
    sealed.seal([])
    assert sealed.open(["frm_1"]) == {}


def test_sealing_the_same_again_changes_nothing(tmp_path: Path) -> None:
    sealed = SealedAnswers(str(tmp_path))
    sealed.seal([answer("frm_1"), answer("frm_2")])
    before = files(tmp_path)
    sealed.seal([answer("frm_1"), answer("frm_2")])
    assert files(tmp_path) == before
    sealed.seal([answer("frm_2")])
    assert sealed.open(["frm_1", "frm_2"]) == {"frm_1": answer("frm_1"), "frm_2": answer("frm_2")}


@pytest.mark.parametrize("order", [(1.0, 2.0, 3.0), (3.0, 2.0, 1.0), (2.0, 3.0, 1.0)])
def test_a_corrected_answer_takes_the_place_of_the_old_one(sealed: SealedAnswers, order: tuple[float, ...]) -> None:
    for x in order:
        sealed.seal([answer("frm_1", x=x)])
    assert sealed.open(["frm_1"]) == {"frm_1": answer("frm_1", x=order[-1])}


def test_answers_outlive_the_process(tmp_path: Path) -> None:
    SealedAnswers(str(tmp_path)).seal([answer("frm_1")])
    assert SealedAnswers(str(tmp_path)).open(["frm_1"]) == {"frm_1": answer("frm_1")}


def test_a_file_that_is_still_being_written_is_not_read(tmp_path: Path) -> None:
    sealed = SealedAnswers(str(tmp_path))
    sealed.seal([answer("frm_1")])
    (path,) = files(tmp_path)
    path.with_name(f".{path.name}.0").write_bytes(b"half")
    path.with_name("notes.txt").write_bytes(b"by hand")
    assert set(sealed.open(["frm_1"])) == {"frm_1"}


def test_answers_that_were_changed_are_noticed(tmp_path: Path) -> None:
    sealed = SealedAnswers(str(tmp_path))
    sealed.seal([answer("frm_1")])
    (path,) = files(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"frm_1", b"frm_2"))
    with pytest.raises(CorruptBlob, match="ingest again"):
        sealed.open(["frm_1"])


def test_text_of_every_kind_survives(sealed: SealedAnswers) -> None:
    odd = replace(answer("frm_1"), source='it\'s "quoted"; é\n日本')
    sealed.seal([odd])
    assert sealed.open(["frm_1"]) == {"frm_1": odd}
