"""Loops from the command line, on a home that no service holds: kept there for the next one."""

from pathlib import Path

import pytest

from tests.al_platform.cli.conftest import Alp
from tests.fleet import COMMAND, TEST, contents_of_home

pytestmark = pytest.mark.story


def test_a_loop_is_made_listed_paused_resumed_and_cancelled_on_a_home_that_nobody_serves(alp: Alp, home: Path) -> None:
    loop = ("--home", str(home), "loop")
    rules = ("--name", "nightly", "--cron", "0 3 * * *", "--labels", "20", "--plateau", "4/0.01", "--test", TEST)
    made = alp(*loop, "create", *COMMAND, *rules, "--budget", "5")
    assert made.code == 0, made.err
    loop_id, state = made.out.split()
    assert state == "active"
    assert f"{loop_id} paused  paused\n" == alp(*loop, "pause", loop_id).out
    assert f"{loop_id} active  resumed\n" == alp(*loop, "resume", loop_id).out
    listed = alp(*loop, "list").out
    assert loop_id in listed
    assert "nightly" in listed
    assert f"{loop_id} cancelled  cancelled\n" == alp(*loop, "cancel", loop_id).out
    assert alp(*loop, "show", loop_id).out.startswith(f"{loop_id} cancelled")
    refused = alp(*loop, "resume", loop_id)
    assert (refused.code, refused.out) == (2, "")
    assert "make another with another name" in refused.err
    (row,) = contents_of_home(home)["loops"]
    assert '"control_share":0.1' in row["spec"]
    assert '"plateau":{"confidence":0.9,"gain":0.01,"window":4}' in row["spec"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--cron", "nightly"), "cron 'nightly': must be five fields"),
        (("--plateau", "5"), "plateau: is one of the frozen-test metric; give a test set"),
        (("--plateau", "many/0.1"), "plateau 'many/0.1': write ROUNDS/GAIN"),
        (("--strategy", "manual"), "strategy manual: cannot keep control_share 0.1"),
    ],
)
def test_a_loop_that_cannot_be_is_one_line(alp: Alp, home: Path, options: tuple[str, ...], message: str) -> None:
    said = alp("--home", str(home), "loop", "create", *COMMAND, *options)
    assert (said.code, said.out) == (2, "")
    assert message in said.err
    assert said.err.count("\n") == 1
