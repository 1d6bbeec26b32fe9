"""What `--server` asks a service for: everything that the command line knows."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from al_platform.cli.app import app
from al_platform.domain.driving import HELD_OUT, PolicyTraining, usual_strategy
from al_platform.domain.loops import CONTROL_SHARE
from al_platform.domain.policies import CloningRecipe, PolicySpec
from al_platform.domain.rounds import StrategySpec
from al_platform.domain.runs import RoundRequest
from al_platform.platform.loops import LoopRequest
from api.schemas.loops import LoopIn
from api.schemas.rounds import RoundIn
from tests.al_platform.cli.conftest import Alp

ROUND = ("round", "run", "--pool", "split=pool", "--targets", "person")
CHANGES = {
    "--pool": "split=other",
    "--targets": "bicycle",
    "--classes": "person,bicycle",
    "--test": "split=test",
    "--strategy": "mi:cap=2:gap=1.5:distance=0.5:quota=weather/10:control=0.25",
    "--filter": "brightness>=60",
    "--budget": "7",
    "--object-budget": "70",
    "--dataset": "dsv_1",
    "--start": "13",
    "--seed": "5",
    "--scorers": "3",
    "--annotator": "label-studio",
    "--queue": "nights",
    "--family": "unet",
    "--members": "3",
    "--image": "192x128/16",
    "--set": "steps=75",
    "--curriculum": "3:time_of_day=night",
}
"""A value of every option that none of them has by default."""
TARGETS = ("--targets", "collision")
DRIVERS = ("--policy", "pol_1", *TARGETS)
"""A round of scenarios."""
OF_DRIVERS = {"--policy", "--drives", "--train-policy", "--from", "--hold-out"}
RECIPE = {"members": 2, "cloning": {"updates": 500}}
"""As a file says it; what is left out is as by default."""
LOOP_CHANGES = CHANGES | {
    "--name": "nightly",
    "--rounds": "9",
    "--cron": "0 3 * * *",
    "--grown-by": "100",
    "--share": "0.9",
    "--deadline": "24",
    "--labels": "500",
    "--plateau": "4/0.01",
    "--information": "0.001",
    "--warm-start": "",
}


class _Inbox(BaseHTTPRequestHandler):
    """Keeps what is posted, and answers with a problem, so that the command ends."""

    bodies: list[dict[str, Any]]

    def do_POST(self) -> None:
        self.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        answer = json.dumps({"detail": "kept", "code": "kept"}).encode()
        self.send_response(422)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  the library's name
        """Say nothing."""


@pytest.fixture
def inbox() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """An address, and the bodies that were posted there."""
    bodies: list[dict[str, Any]] = []
    with HTTPServer(("127.0.0.1", 0), type("Inbox", (_Inbox,), {"bodies": bodies})) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", bodies
        server.shutdown()
        thread.join()


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """A file with a recipe."""
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(RECIPE))
    return path


def options_of(*path: str) -> set[str]:
    """The options of a command, without --help."""
    command = typer.main.get_command(app)
    for name in path:
        assert isinstance(command, TyperGroup)
        command = command.commands[name]
    return {parameter.opts[0] for parameter in command.params if parameter.name != "help"}


def test_every_option_of_a_round_changes_what_a_service_is_asked_for(
    alp: Alp, inbox: tuple[str, list[dict[str, Any]]], recipe: Path
) -> None:
    url, bodies = inbox
    assert options_of("round", "run") - {"--dry-run"} == CHANGES.keys() | OF_DRIVERS

    def asked(*more: str) -> RoundRequest:
        said = alp("--server", url, *ROUND, *more)
        assert said.err == "alp: kept\n"
        return RoundIn.model_validate(bodies[-1]).meant()

    plain = asked()
    unheard = [option for option, value in CHANGES.items() if asked(option, value) == plain]
    assert unheard == []
    drivers = asked(*DRIVERS)
    assert asked(*DRIVERS, "--drives", "3") != drivers != plain
    assert drivers.wanted.strategy == StrategySpec(usual_strategy(drivers.wanted.targets))
    trained = asked(*TARGETS, "--train-policy", str(recipe)).wanted.policy_model
    recipe_meant = PolicySpec(members=2, cloning=CloningRecipe(updates=500))
    assert trained.training == PolicyTraining(recipe_meant, held_out=HELD_OUT)
    onwards = asked(*TARGETS, "--train-policy", str(recipe), "--from", "pol_2").wanted.policy_model
    assert onwards.training == replace(trained.training, parent_id="pol_2")
    everything = asked(*TARGETS, "--train-policy", str(recipe), "--hold-out", "0").wanted.policy_model
    assert everything.training == PolicyTraining(recipe_meant)


def test_every_option_of_a_loop_changes_what_a_service_is_asked_for(
    alp: Alp, inbox: tuple[str, list[dict[str, Any]]], recipe: Path
) -> None:
    url, bodies = inbox
    assert options_of("loop", "create") == LOOP_CHANGES.keys() | OF_DRIVERS

    def asked(*more: str) -> LoopRequest:
        said = alp(
            "--server", url, "loop", "create", *ROUND[2:], "--test", "split=frozen", *(text for text in more if text)
        )
        assert said.err == "alp: kept\n"
        return LoopIn.model_validate(bodies[-1]).meant()

    plain = asked()
    assert plain.wanted.first.strategy == StrategySpec("mixdist", control_share=CONTROL_SHARE)
    unheard = [option for option, value in LOOP_CHANGES.items() if asked(option, value) == plain]
    assert unheard == []
    assert asked(*DRIVERS, "--drives", "3") != asked(*DRIVERS) != plain
    recipes = {
        asked(*TARGETS, "--train-policy", str(recipe), *more) for more in ((), ("--from", "pol_2"), ("--hold-out", "0"))
    }
    assert len(recipes | {plain}) == 4


def test_a_service_knows_no_more_of_a_round_than_the_command_line(
    alp: Alp, inbox: tuple[str, list[dict[str, Any]]]
) -> None:
    url, bodies = inbox
    alp("--server", url, *ROUND)
    assert bodies[0].keys() == RoundIn.model_fields.keys()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"cloning": {}, "practice": {}}', "recipes of cloning and practice: both given"),
        ('{"members": 3}', "recipes of cloning and practice: neither given"),
        ('{"cloning": {"update": 3}}', "update: not known; known are batch_steps"),
        ('{"cloning": {"updates": "many"}}', "cloning.updates: Input should be a valid integer"),
        ("members=3", "write JSON"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused_by_name(alp: Alp, recipe: Path, text: str, said: str) -> None:
    recipe.write_text(text)
    refused = alp("--server", "http://127.0.0.1:9", *ROUND, *TARGETS, "--train-policy", str(recipe))
    assert refused.code == 2
    assert said in refused.err


def test_a_policy_is_asked_or_a_recipe_trains_one(alp: Alp, recipe: Path, tmp_path: Path) -> None:
    said = alp(*ROUND, *TARGETS, "--policy", "pol_1", "--train-policy", str(recipe))
    assert "policy pol_1: given beside a recipe" in said.err
    said = alp(*ROUND, *TARGETS, "--from", "pol_2")
    assert "policy pol_2: to go on from, but no recipe is given" in said.err
    said = alp(*ROUND, *TARGETS, "--train-policy", str(tmp_path / "none.json"))
    assert "none.json: cannot be read (No such file or directory)" in said.err


def test_a_loop_is_not_sent_where_it_would_lose_its_options(alp: Alp) -> None:
    said = alp("--server", "http://127.0.0.1:9", "loop", *ROUND[1:])
    assert said.code == 2
    assert said.err == "alp: run: works on a home alone; leave out --server (and ALP_SERVER)\n"
