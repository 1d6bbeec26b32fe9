"""Pickles from outside: numpy arrays, numbers, texts and plain containers; nothing else is ever called.

A pickle is a program. Here it runs step by step on a machine of our own: each step must be one that such data
needs, each name on a short list, and no step can claim memory that the file does not fill.
"""

import pickle
import re
import struct
from collections.abc import Callable, Mapping
from io import BytesIO
from math import prod
from typing import Any, cast

import numpy as np

from al_platform.errors import BrokenRecording

MOST_STEPS = 2_000_000
"""A scene of 200 agents takes some 50,000."""
_MOST_VALUES = 20_000_000
_DEEPEST = 40
_KIND = re.compile(r"[<>|=]?(b1|[iuf][1248]|[SU][0-9]{1,3})")

# fmt: off
_STEPS = (
    "PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET",
    "LONG_BINGET", "NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4",
    "FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8",
    "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2",
    "TUPLE3", "EMPTY_LIST", "LIST", "APPEND", "APPENDS", "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "GLOBAL",
    "STACK_GLOBAL", "REDUCE", "BUILD",
)
# fmt: on


class _Kind:
    """A numeric type, or text of fixed width."""

    def __init__(self, name: Any = None, *flags: Any) -> None:
        if not isinstance(name, str) or not _KIND.fullmatch(name):
            raise pickle.UnpicklingError(f"an array of type {name!r:.60}")
        self.dtype = np.dtype(name)

    def set_state(self, state: Any) -> None:
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">"):
            self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """An array before and after its content came."""

    def __init__(self, kind: Any = None, *shape_and_code: Any) -> None:
        if kind is not _NDARRAY:
            raise pickle.UnpicklingError(f"an array of class {kind!r:.60}")
        self.content: np.ndarray[Any, Any] = np.zeros(0)

    def set_state(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise pickle.UnpicklingError("an array without type, shape and content")
        _, shape, kind, by_column, content = state
        self.content = _filled(content, kind, shape, "F" if by_column else "C")


def _filled(content: Any, kind: Any, shape: Any, order: Any = "C") -> np.ndarray[Any, Any]:
    if not isinstance(content, bytes) or not isinstance(kind, _Kind) or not isinstance(shape, tuple):
        raise pickle.UnpicklingError("an array of something else than bytes")
    if not all(type(side) is int and side >= 0 for side in shape) or len(shape) > 8:
        raise pickle.UnpicklingError(f"an array of shape {shape!r:.60}")
    if prod(shape) * kind.dtype.itemsize != len(content):
        raise pickle.UnpicklingError(f"an array of shape {shape} in {len(content)} bytes")
    order = "F" if order == "F" else "C"
    return np.frombuffer(content, kind.dtype).reshape(shape, order=cast(Any, order))


def _scalar(kind: Any = None, content: Any = None) -> Any:
    return _filled(content, kind, ()).item()


def _bytes_of(text: Any = None, encoding: Any = None) -> bytes:
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("bytes in an unknown encoding")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """How old protocols write them."""
    return b""


def _empty_dictionary(*factory: Any) -> dict[Any, Any]:
    """In place of a dictionary with defaults or an order: nothing here asks for keys that are not there."""
    return {}


_GARBLED = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, MemoryError, struct.error)
"""What the library's machine raises on bytes that are no pickle."""

_NDARRAY = object()
_INERT = object()
_BUILTINS = ("builtins", "__builtin__")
_NUMPY = {"_reconstruct": _Array, "scalar": _scalar}
_NAMES: Mapping[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _NDARRAY,
    ("numpy", "dtype"): _Kind,
    **{(f"numpy.{core}.multiarray", name): made for core in ("core", "_core") for name, made in _NUMPY.items()},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _filled for core in ("core", "_core")},
    ("collections", "defaultdict"): _empty_dictionary,
    ("collections", "OrderedDict"): _empty_dictionary,
    ("_codecs", "encode"): _bytes_of,
    **{(module, name): _INERT for module in _BUILTINS for name in ("int", "long", "float", "list", "dict", "str")},
    **{(module, "bytes"): _no_bytes for module in _BUILTINS},
}
"""All that a pickle may name, and what stands for it here."""


class _Machine(pickle._Unpickler):
    """The library's machine written in Python, without the steps that data does not need."""

    pop_mark: Callable[[], list[Any]]
    metastack: list[Any]
    stack: list[Any]
    append: Callable[[Any], None]

    def load(self) -> Any:
        """Run the pickle and give what it leaves on the stack."""
        self._unframer = pickle._Unframer(self._file_read, self._file_readline)  # type: ignore[attr-defined]
        self.read, self.readline = self._unframer.read, self._unframer.readline
        self.metastack, self.stack, self.proto = [], [], 0
        self.append = self.stack.append
        for _ in range(MOST_STEPS):
            step = self.read(1)
            if not step:
                raise EOFError
            if step[0] not in _DISPATCH:
                raise pickle.UnpicklingError(f"the step {step!r}")
            if step == pickle.STOP:
                return self.stack.pop()
            _DISPATCH[step[0]](self)
        raise pickle.UnpicklingError(f"more than {MOST_STEPS} steps")

    def find_class(self, module: str, name: str) -> Any:
        """Give what stands for a name."""
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(f"the name {module}.{name}"[:200])
        return _NAMES[module, name]

    def set_items(self) -> None:
        """Take keys and values off the stack; a key is a text or a number, for hashing others may take for ever."""
        items = self.pop_mark()
        self._enter(items[::2], items[1::2])

    def set_item(self) -> None:
        """As `set_items`, for one."""
        value, key = self.stack.pop(), self.stack.pop()
        self._enter([key], [value])

    def make_dict(self) -> None:
        """Make a dictionary of what lies above the mark."""
        items = self.pop_mark()
        self.append({})
        self._enter(items[::2], items[1::2])

    def build(self) -> None:
        """Give an array or a type what it was made without."""
        state, made = self.stack.pop(), self.stack[-1]
        if not isinstance(made, _Kind | _Array):
            raise pickle.UnpicklingError(f"the state of a {type(made).__name__}")
        made.set_state(state)

    def buffer(self) -> None:
        """Take bytes that may be written to as bytes; none is set aside before they are read."""
        self.append(bytes(self.read(int.from_bytes(self.read(8), "little"))))

    def empty_set(self) -> None:
        """A list in place of a set: its members are not hashed."""
        self.append([])

    def add_items(self) -> None:
        """Take the members of a set off the stack."""
        items = self.pop_mark()
        if not isinstance(self.stack[-1], list):
            raise pickle.UnpicklingError("the members of something else than a set")
        self.stack[-1].extend(items)

    def _enter(self, keys: list[Any], values: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict) or not all(isinstance(key, str | int | float | None) for key in keys):
            raise pickle.UnpicklingError("a dictionary with keys that are neither text nor number")
        target.update(zip(keys, values, strict=True))


def _dispatch() -> dict[int, Callable[[Any], None]]:
    codes = [getattr(pickle, name)[0] for name in _STEPS]
    library = {code: pickle._Unpickler.dispatch[code] for code in codes}
    ours = {
        pickle.SETITEM: _Machine.set_item,
        pickle.SETITEMS: _Machine.set_items,
        pickle.DICT: _Machine.make_dict,
        pickle.EMPTY_SET: _Machine.empty_set,
        pickle.ADDITEMS: _Machine.add_items,
        pickle.BUILD: _Machine.build,
        pickle.BYTEARRAY8: _Machine.buffer,
    }
    return {**library, **{code[0]: step for code, step in ours.items()}}


_DISPATCH = _dispatch()


def plain_pickle(content: bytes) -> Any:
    """Give what a pickle of plain data holds: dictionaries, lists, tuples, texts, numbers and numpy arrays.

    Raises: BrokenRecording where it is cut short, no pickle, or asks for anything else.
    """
    stream = BytesIO(content)
    machine = _Machine(stream, encoding="latin1")
    try:
        return _opened(machine.load(), {}, 0)[0]
    except EOFError as error:
        raise BrokenRecording("cut short", "the pickle ends early") from error
    except pickle.UnpicklingError as error:
        raise BrokenRecording("not plain data", f"the pickle asks for {error}") from error
    except _GARBLED as error:
        raise BrokenRecording("not a pickle", f"{type(error).__name__}: {error}"[:200]) from error


def _opened(value: Any, known: dict[int, tuple[Any, int]], depth: int) -> tuple[Any, int]:
    """Give a value with arrays for their shells, and how many values it would be written out in full.

    What is referred to twice is counted twice: nested references can stand for more than any memory holds.
    """
    if isinstance(value, _Array):
        return value.content, 1
    if not isinstance(value, dict | list | tuple):
        if value is not None and not isinstance(value, str | bytes | int | float | np.ndarray):
            raise pickle.UnpicklingError(f"a {type(value).__name__}")
        return value, 1
    if id(value) in known:
        return known[id(value)]
    if depth > _DEEPEST:
        raise pickle.UnpicklingError("containers within themselves, or too deep")
    keys = list(value) if isinstance(value, dict) else None
    parts = [_opened(part, known, depth + 1) for part in (value.values() if isinstance(value, dict) else value)]
    size = 1 + sum(part[1] for part in parts)
    if size > _MOST_VALUES:
        raise pickle.UnpicklingError(f"more than {_MOST_VALUES} values")
    made = [part[0] for part in parts]
    opened = dict(zip(keys, made, strict=True)) if keys is not None else type(value)(made)
    known[id(value)] = (opened, size)
    return known[id(value)]
