"""What pages say with numbers: how long it takes, where boxes lie, which filter means a value."""

import pytest

from al_platform.catalog.filters import parse_filter
from al_platform.domain.lineage import LineageNode, Parent
from al_platform.domain.progress import Progress
from api.dashboard.graphs import BOX_WIDTH, drawn_graph
from api.dashboard.pace import Pace
from api.dashboard.pages import duration, number, queue_name, short, term
from tests.api.conftest import Served


def test_what_remains_is_told_from_the_pace_of_the_stage_since_it_was_first_seen() -> None:
    clock = [100.0]
    pace = Pace(now_s=lambda: clock[0])
    assert pace.remaining_s("rnd_1", Progress("train", 50, 250)) is None
    clock[0] += 10.0
    assert pace.remaining_s("rnd_1", Progress("train", 50, 250)) is None
    assert pace.remaining_s("rnd_1", Progress("train", 100, 250)) == pytest.approx(30.0)
    assert pace.remaining_s("rnd_2", Progress("train", 100, 250)) is None
    assert pace.remaining_s("rnd_1", Progress("score", 100, 250)) is None
    clock[0] += 5.0
    assert pace.remaining_s("rnd_1", Progress("score", 250, 250)) == 0.0


def test_every_node_lies_right_of_all_that_came_from_it_and_no_two_in_one_place() -> None:
    nodes = [
        LineageNode("dsv_2", "dataset version", "", (Parent("a", "rnd_1"), Parent("b", "dsv_1"), Parent("c", "ann_1"))),
        LineageNode("dsv_1", "dataset version", "", ()),
        LineageNode("ann_1", "label", "", ()),
        LineageNode("rnd_1", "round", "", (Parent("a", "ens_1"), Parent("b", "dsv_1"))),
        LineageNode("ens_1", "ensemble", "", (Parent("a", "dsv_1"),)),
    ]
    drawn = drawn_graph(nodes)
    places = {box.node.node_id: box for box in drawn.boxes}
    assert set(places) == {"dsv_2", "rnd_1", "ens_1", "dsv_1"}
    assert drawn.left_out == (("label", 1),)
    assert len({(box.x, box.y) for box in drawn.boxes}) == len(drawn.boxes)
    for child in nodes:
        for parent in child.parents:
            if parent.node_id in places:
                assert places[parent.node_id].x >= places[child.node_id].x + BOX_WIDTH
    assert len(drawn.arrows) == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weather", "rain"),
        ("a b", "c d"),
        ("split", "a=b"),
        ("a=b", "c"),
        ("a", "b,c"),
        ("a", "b|c"),
        (" a", "b"),
        ("a", ""),
    ],
)
def test_a_term_means_its_value_or_is_none(shared: Served, name: str, value: str) -> None:
    said = term(value, name)
    writable = not any(sign in name for sign in "=!<>,") and not any(sign in value for sign in ",|")
    assert bool(said) == (writable and bool(value) and name == name.strip())
    if said and name == "split":
        with shared.service.platform.catalog.transaction() as tx:
            assert parse_filter(tx, said).values[-1] == value


def test_words_for_numbers() -> None:
    assert [duration(seconds) for seconds in (None, 0.04, 59.6, 61, 3720)] == [
        *("–", "0.0 s", "1 min 00 s", "1 min 01 s", "1 h 02 min"),
    ]
    assert number(1234567) == "1\u2009234\u2009567"
    assert (short("rnd_0123456789"), short("plain-name-of-a-thing"), short(None)) == ("rnd_01234567", "plain-na", "")
    assert queue_name("exp_0123456789ab/mixdist/0") == "exp_01234567/mixdist/0"
    assert queue_name("night/one") == "night/one"
