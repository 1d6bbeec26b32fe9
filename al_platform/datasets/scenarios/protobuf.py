"""Messages of Protocol Buffers, field by field, without a schema: the wire format alone.

Source: protobuf.dev, "Encoding".
"""

import struct
from collections.abc import Iterator

from al_platform.errors import BrokenRecording

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_DOUBLE = struct.Struct("<d")
_FLOAT = struct.Struct("<f")
_LONGEST_VARINT = 10
_WRAP = 2**64


class Message:
    """The fields of one message by their number, each with all its values in order, as they lie on the wire."""

    __slots__ = ("_fields",)

    def __init__(self, content: memoryview) -> None:
        self._fields: dict[int, list[tuple[int, int | memoryview]]] = {}
        for number, kind, value in _fields_of(content):
            self._fields.setdefault(number, []).append((kind, value))

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    def numbers(self) -> list[int]:
        """Give the numbers of the fields that are there."""
        return sorted(self._fields)

    def messages(self, number: int) -> Iterator["Message"]:
        """Yield every message of a repeated field."""
        for content in self._bytes(number):
            yield Message(content)

    def message(self, number: int) -> "Message | None":
        """Give the message of a field, None where it is not set."""
        content = self._bytes(number)
        return Message(content[-1]) if content else None

    def text(self, number: int) -> str:
        """Give a text, empty where it is not set."""
        content = self._bytes(number)
        if not content:
            return ""
        try:
            return bytes(content[-1]).decode()
        except UnicodeDecodeError as error:
            raise BrokenRecording("wrong type", f"field {number}: no text") from error

    def whole(self, number: int, default: int = 0) -> int:
        """Give a signed whole number."""
        found = self.wholes(number)
        return found[-1] if found else default

    def wholes(self, number: int) -> list[int]:
        """Give the signed whole numbers of a repeated field, packed or not."""
        found: list[int] = []
        for kind, value in self._fields.get(number, ()):
            if kind == VARINT and isinstance(value, int):
                found.append(_signed(value))
            elif kind == BYTES and isinstance(value, memoryview):
                place = 0
                while place < len(value):
                    packed, place = _varint(value, place)
                    found.append(_signed(packed))
            else:
                raise BrokenRecording("wrong type", f"field {number}: no whole number")
        return found

    def double(self, number: int, default: float = 0.0) -> float:
        """Give a number of 64 bits."""
        found = self.doubles(number)
        return found[-1] if found else default

    def doubles(self, number: int) -> list[float]:
        """Give the numbers of 64 bits of a repeated field, packed or not."""
        found: list[float] = []
        for kind, value in self._fields.get(number, ()):
            if kind not in (FIXED64, BYTES) or not isinstance(value, memoryview) or len(value) % 8:
                raise BrokenRecording("wrong type", f"field {number}: no 64-bit number")
            found.extend(item[0] for item in _DOUBLE.iter_unpack(value))
        return found

    def single(self, number: int, default: float = 0.0) -> float:
        """Give a number of 32 bits."""
        found = self._fields.get(number)
        if not found:
            return default
        kind, value = found[-1]
        if kind != FIXED32 or not isinstance(value, memoryview):
            raise BrokenRecording("wrong type", f"field {number}: no 32-bit number")
        return float(_FLOAT.unpack(value)[0])

    def _bytes(self, number: int) -> list[memoryview]:
        found: list[memoryview] = []
        for kind, value in self._fields.get(number, ()):
            if kind != BYTES or not isinstance(value, memoryview):
                raise BrokenRecording("wrong type", f"field {number}: no message")
            found.append(value)
        return found


def _fields_of(content: memoryview) -> Iterator[tuple[int, int, int | memoryview]]:
    place, end = 0, len(content)
    while place < end:
        key, place = _varint(content, place)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise BrokenRecording("not a message", "field 0")
        if kind == VARINT:
            value, place = _varint(content, place)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, place = _varint(content, place)
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
        else:
            raise BrokenRecording("not a message", f"field {number} of wire type {kind}")
        if size > end - place:
            raise BrokenRecording("cut short", f"field {number}: {size} bytes of {end - place}")
        yield number, kind, content[place : place + size]
        place += size


def _varint(content: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    for byte in content[place : place + _LONGEST_VARINT]:
        value |= (byte & 0x7F) << shift
        place += 1
        if byte < 0x80:
            return value % _WRAP, place
        shift += 7
    raise BrokenRecording("cut short", "a whole number without an end")


def _signed(value: int) -> int:
    return value - _WRAP if value >= _WRAP // 2 else value
