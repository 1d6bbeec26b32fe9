"""Named files: written once, whole, whatever the storage."""

from pathlib import Path

import pytest

from al_platform.errors import NotFound
from al_platform.storage.files import NamedFiles


@pytest.fixture(params=["local", "memory"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> NamedFiles:
    return NamedFiles(str(tmp_path) if request.param == "local" else f"memory://{tmp_path.name}")


def test_the_first_content_of_a_name_stays(files: NamedFiles) -> None:
    files.write("scores/a/1.json", b"first")
    files.write("scores/a/1.json", b"second one")
    assert files.read("scores/a/1.json") == b"first"
    assert files.size("scores/a/1.json") == 5


def test_a_folder_lists_its_finished_files_alone(files: NamedFiles) -> None:
    for name in ("b", "a", ".c.unfinished", "deeper/d"):
        files.write(f"scores/{name}", b"")
    assert files.names("scores") == ["a", "b"]
    assert files.names("nothing") == []


def test_what_is_not_there_is_said_so(files: NamedFiles) -> None:
    assert files.size("scores/x") is None
    with pytest.raises(NotFound, match="scores/x: not in storage"):
        files.read("scores/x")
