"""Ctrl-C: one line, exit code 130, and the same command goes on where it was."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from al_platform.cli.main import main
from tests.fleet import COMMAND, START, contents_of_home

pytestmark = pytest.mark.story
ROUNDS, BUDGET = 6, 2
PROGRESS = re.compile(r"[a-z ]+: \d+/\d+, \d+ s left(, [\d,]+ frames/s, limit [a-z]+|, validation loss [\d.e+-]+)?")


def test_a_loop_that_is_interrupted_says_so_in_one_line_and_the_same_command_finishes_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = shutil.which("alp", path=str(Path(sys.executable).parent))
    assert program is not None
    loop = ("loop", "run", *COMMAND, "--rounds", str(ROUNDS), "--budget", str(BUDGET))
    command = [program, "--home", str(home), *loop]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("rnd_")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    *progress, last = said.splitlines()
    assert last == "alp: interrupted; nothing finished is lost, run the same command to go on"
    assert all(PROGRESS.fullmatch(line) for line in progress)
    before = contents_of_home(home)
    finished = [row["round_id"] for row in before["rounds"] if row["state"] == "appended"]
    assert 1 <= len(finished) < ROUNDS
    monkeypatch.setattr(sys, "argv", ["alp", *command[1:]])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    after = contents_of_home(home)
    assert [row["state"] for row in after["rounds"]] == ["appended"] * ROUNDS
    assert len(after["tasks"]) == ROUNDS * BUDGET
    assert len({row["item_id"] for row in after["annotations"]}) == START + ROUNDS * BUDGET
    known = [row for row in before["step_runs"] if row["round_id"] in finished]
    assert [row for row in after["step_runs"] if row["round_id"] in finished] == known
