"""`alp round verify` ends with 0 where every pick is equal, and with 1 and the first difference where not."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from al_platform.platform.home import open_platform
from al_platform.platform.rounds import run_one_round
from tests.fleet import round_spec, settings_of

pytestmark = pytest.mark.story


def verify(home: Path, round_id: str) -> subprocess.CompletedProcess[str]:
    command = "from al_platform.cli.main import main; main()"
    environment = {"ALP_STORAGE": str(home / "blobs"), "PATH": ""}
    return subprocess.run(
        [sys.executable, "-c", command, "--home", str(home), "round", "verify", round_id],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def test_the_exit_code_says_whether_the_picks_are_equal(home: Path) -> None:
    with open_platform(settings_of(home)) as platform:
        round_ = run_one_round(platform, round_spec(platform, "random", budget=3))
    equal = verify(home, round_.round_id)
    assert (equal.returncode, equal.stderr) == (0, "")
    assert "every pick is equal" in equal.stdout
    with duckdb.connect(str(home / "catalog.duckdb")) as connection:
        connection.execute("UPDATE tasks SET score = score + 1 WHERE rank = 1")
    different = verify(home, round_.round_id)
    assert different.returncode == 1
    assert f"{round_.round_id}: 1 differences; the first: rank 1: task tsk_" in different.stderr
