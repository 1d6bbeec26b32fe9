"""Labelling by people from the command line: the same command sends, waits and collects."""

from pathlib import Path

import pytest

from tests.al_platform.cli.conftest import Alp
from tests.fleet import COMMAND, contents_of_home
from tests.label_studio import TOKEN, Server

pytestmark = [pytest.mark.story, pytest.mark.label_studio]


def test_one_command_sends_and_collects_and_others_tell_of_people_and_corrections(
    alp: Alp, home: Path, label_studio: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALP_LABEL_STUDIO_URL", label_studio.url)
    monkeypatch.setenv("ALP_LABEL_STUDIO_TOKEN", TOKEN)
    people = ("--annotator", "label-studio", "--queue", "command", "--budget", "2")
    command = ("--home", str(home), "round", "run", *COMMAND, *people)
    sent = alp(*command)
    assert sent.code == 0
    (round_,) = contents_of_home(home)["rounds"]
    assert f"{round_['round_id']} sent" in sent.out
    assert "2 of 2 labels are still out; run the round again when they are in" in sent.out
    _, second = [label_studio.annotate(task["id"], []) for task in label_studio.tasks("command")]
    assert f"{round_['round_id']} appended" in alp(*command).out
    at_home = ("--home", str(home), "round")
    assert " 2 " in alp(*at_home, "annotators", round_["round_id"]).out
    assert alp(*at_home, "correct", round_["round_id"]).out == "no changes\n"
    label_studio.change(second, was_cancelled=True)
    assert "has the changes, 13 labelled frames" in alp(*at_home, "correct", round_["round_id"]).out


def test_without_a_server_in_the_environment_the_cure_is_told(
    alp: Alp, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALP_LABEL_STUDIO_URL", raising=False)
    said = alp("--home", str(home), "round", "run", *COMMAND, "--annotator", "label-studio")
    assert said.code != 0
    assert "label-studio is where ALP_LABEL_STUDIO_URL and ALP_LABEL_STUDIO_TOKEN are set" in said.err.replace(
        "\n", " "
    )
