import sys

import pytest

from al_platform.cli.progress import progress_shown
from al_platform.domain.progress import Progress

WORK = (
    *(Progress("train", done, 50) for done in (0, 25, 50)),
    *(Progress("score", done, 60) for done in (0, 60)),
    *(Progress("train", done, 75) for done in (0, 25, 75)),
    Progress("encode", 0, 0),
)
"""Two rounds, the second with more steps, and a stage with nothing to do."""


def test_short_work_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_shown() as report:
        for progress in WORK:
            report(progress)
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_every_stage_has_a_bar_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with progress_shown() as report:
        for progress in WORK:
            report(progress)
    out, err = capsys.readouterr()
    assert not out
    for shown in ("train", "75/75", "score", "60/60", "encode"):
        assert shown in err
