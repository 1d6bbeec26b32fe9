import re
from dataclasses import asdict

import pytest

from al_platform.cli import parse
from al_platform.cli.model import described_model
from al_platform.domain.rounds import StrategySpec
from al_platform.errors import InvalidInput
from api.schemas.rounds import StrategyIn
from tests.fleet import CLASSES, IMAGE, MEMBERS, MODEL, SETTINGS, TARGETS


def test_names_are_what_lies_between_commas() -> None:
    assert parse.names(" person, bicycle,,car ") == ("person", "bicycle", "car")
    assert parse.names(" ") == ()


def test_options_are_key_and_value_around_the_first_equals_sign() -> None:
    assert parse.options(["frames=80", " note = a=b "]) == {"frames": "80", "note": "a=b"}
    with pytest.raises(InvalidInput, match=r"option 'frames': write KEY=VALUE"):
        parse.options(["frames"])


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("mi", StrategySpec("mi")),
        ("mi:cap=2", StrategySpec("mi", session_cap=2)),
        ("mi:gap=1.5", StrategySpec("mi", minimum_gap_s=1.5)),
        ("mi:distance=0.3", StrategySpec("mi", minimum_distance=0.3)),
        ("mi:quota=weather/10", StrategySpec("mi", group_quota=10, group_tag="weather")),
        ("mi:quota=road/kind/2", StrategySpec("mi", group_quota=2, group_tag="road/kind")),
        ("mi:control=0.1", StrategySpec("mi", control_share=0.1)),
        ("mi:guard=0.5", StrategySpec("mi", guard=0.5)),
        (
            "mi:cap=2:gap=1.5:distance=0.3:quota=weather/10:control=0.1",
            StrategySpec("mi", 2, 1.5, 0.3, group_quota=10, group_tag="weather", control_share=0.1),
        ),
        (" mi : gap = 1.5 : cap = 2 ", StrategySpec("mi", session_cap=2, minimum_gap_s=1.5)),
    ],
)
def test_a_strategy_is_its_name_and_its_limits(text: str, meant: StrategySpec) -> None:
    assert parse.strategy(text) == meant


def test_every_field_of_a_strategy_can_be_said_here_and_to_the_service_alike() -> None:
    told = parse.strategy("mi:cap=2:gap=1.5:distance=0.3:quota=weather/10:control=0.1:guard=0.5")
    assert StrategyIn.model_fields.keys() == asdict(told).keys()
    assert all(getattr(told, name) != value for name, value in asdict(StrategySpec()).items())
    assert StrategySpec(**StrategyIn(**asdict(told)).model_dump()) == told


@pytest.mark.parametrize(
    "text",
    ["mi:cap=two", "mi:gap=soon", "mi:cap=", "mi:cap=2.0", "mi:quota=weather", "mi:quota=weather/", "mi:distance=far"],
)
def test_limits_that_are_no_numbers_are_refused(text: str) -> None:
    with pytest.raises(
        InvalidInput, match=re.escape(f"strategy {text!r}: cap takes a whole number, gap takes seconds, ")
    ):
        parse.strategy(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mi:gap=nan", "minimum_gap_s nan: must be 0 or more seconds"),
        ("mi:gap=inf", "minimum_gap_s inf"),
        ("mi:gap=-1", "minimum_gap_s -1.0"),
        ("mi:distance=-1", "minimum_distance -1.0: must be a number, 0 or more"),
        ("mi:distance=nan", "minimum_distance nan"),
        ("mi:quota=weather/0", "group_quota 0: must be at least 1, or left out for no quota"),
        ("mi:quota=7", "group_quota 7 of tag '': name both the quota and the tag, or neither"),
        ("mi:control=1", "control_share 1.0: must be at least 0 and below 1"),
        ("mi:control=nan", "control_share nan"),
        ("mi:guard=1", "guard 1.0: must be a chance above 0 and below 1"),
        ("mi:guard=nan", "guard nan"),
        ("mi:cap=1:cap=2", "each limit may be given once"),
        ("mi:size=2", "unknown limit size; known are cap, gap, distance, quota, control"),
    ],
)
def test_limits_that_no_selection_can_keep_are_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(says)):
        parse.strategy(text)


def test_options_describe_the_model_that_is_trained_with_the_recipe_of_its_family() -> None:
    described = described_model(
        targets=",".join(TARGETS),
        classes=",".join(CLASSES),
        family="prefix-heads",
        members=MEMBERS,
        image=IMAGE,
        settings=list(SETTINGS),
    )
    assert described == MODEL


def test_without_classes_the_model_learns_the_targets() -> None:
    described = described_model(
        targets="car,person", classes="", family="prefix-heads", members=1, image=IMAGE, settings=None
    )
    assert described.classes == ("car", "person")
