"""Pickles from outside: plain data comes through, everything else is refused, nothing runs and nothing swells."""

import collections
import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from al_platform.datasets.scenarios import unpickle
from al_platform.datasets.scenarios.unpickle import plain_pickle
from al_platform.errors import BrokenRecording

PLAIN = {
    "whole": [0, -1, 2**40, 2**200],
    "others": (None, True, 1.5, "text", b"bytes", (), [], {}),
    "arrays": [np.arange(6.0).reshape(2, 3), np.zeros((3, 0), np.int32), np.array([True, False])],
    "columns": np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3)),
    "texts": np.array(["go", "stop"]),
    "scalars": [np.float32(2.5), np.int64(7)],
    "ordered": collections.OrderedDict(a=1),
    "defaults": collections.defaultdict(int, {"b": 2}),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_data_comes_through_every_protocol(protocol: int) -> None:
    found = plain_pickle(pickle.dumps(PLAIN, protocol=protocol))
    assert found["whole"] == PLAIN["whole"]
    assert found["others"] == PLAIN["others"]
    for name in ("arrays", "columns", "texts", "scalars"):
        np.testing.assert_equal(found[name], PLAIN[name])
    assert (found["ordered"], found["defaults"]) == ({"a": 1}, {"b": 2})


def test_the_members_of_a_set_come_as_a_list() -> None:
    assert sorted(plain_pickle(pickle.dumps({1, 2, 3}))) == [1, 2, 3]


class Calls:
    """Asks for a call when it is loaded."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    "made",
    [
        Calls(os.system, "touch touched"),
        Calls(eval, "1"),
        Calls(getattr, "text", "upper"),
        Calls(np.load, "x.npy", None, True),
        Calls(np.zeros, 10**12),
        Calls(np.ndarray, (10**12,)),
        Calls(bytearray, 10**12),
        Calls(int, "1" * 10),
        Path("x"),
        np.array([Calls(os.system, "touch touched")], object),
        np.array([(1, 2.0)], [("a", int), ("b", float)]),
        np.random.default_rng(0),
        {("a", "tuple"): 1},
        object(),
    ],
    ids=lambda made: getattr(made.call[0], "__name__", "") if isinstance(made, Calls) else type(made).__name__,
)
def test_whatever_else_a_pickle_asks_for_is_refused(made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BrokenRecording):
        plain_pickle(pickle.dumps({"tracks": made}))
    assert list(tmp_path.iterdir()) == []


def _doubling(levels: int) -> bytes:
    """A list that holds twice a list that holds twice a list ...: small in the file, without end written out."""
    out = b"\x80\x04]\x94"
    for level in range(levels):
        out += b"]\x94(h" + bytes([level]) + b"h" + bytes([level]) + b"e"
    return out + b"."


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x04r" + struct.pack("<I", 2**32 - 1) + b".",
        b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b"x.",
        b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b"x.",
        b"\x80\x04\x8b" + struct.pack("<i", 2**31 - 1) + b"x.",
        b"\x80\x04]q\x00h\x00a.",
        _doubling(60),
        b"\x80\x04" + b"]" * 2000 + b"a" * 1999 + b".",
        b"cos\nsystem\n(S'touch touched'\ntR.",
        b"(S'touch touched'\nios\nsystem\n.",
        b"\x80\x02\x82\x01.",
        b"P1\n.",
        b"",
        b"garbage",
        b".",
    ],
    ids=lambda content: repr(content[:16]),
)
def test_pickles_written_by_hand_to_harm_are_refused(content: bytes) -> None:
    with pytest.raises(BrokenRecording):
        plain_pickle(content)


def test_a_pickle_of_more_steps_than_any_scene_takes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpickle, "MOST_STEPS", 1000)
    with pytest.raises(BrokenRecording, match="more than 1000 steps"):
        plain_pickle(b"\x80\x04(" + b"]" * 1010 + b"l.")


def test_an_array_whose_shape_its_bytes_do_not_fill_is_refused() -> None:
    content = pickle.dumps(np.zeros((3, 4)), protocol=2)
    assert content.count(b"K\x03K\x04") == 1
    with pytest.raises(BrokenRecording, match="shape"):
        plain_pickle(content.replace(b"K\x03K\x04", b"K\xffK\xff"))
