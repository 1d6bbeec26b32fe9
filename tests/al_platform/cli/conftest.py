"""The command line, called as a shell would, without a process of its own."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from al_platform.cli.main import main


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


Alp = Callable[..., Said]


@pytest.fixture
def alp(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Alp:
    """Runs `alp ARGUMENTS`; the terminal is wide enough for any id."""

    def call(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["alp", *arguments])
        monkeypatch.setenv("COLUMNS", "250")
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, printed.out, printed.err)

    return call
