"""TFRecord: records of bytes, each between checksums. Read one at a time, so that a file of any size fits.

A record is its length (8 bytes, little endian), the masked CRC-32C of these, the bytes, and their masked CRC-32C.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

import google_crc32c

from al_platform.datasets.scenarios.files import LARGEST_FILE, disk_errors
from al_platform.errors import BrokenRecording

_LENGTH = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
_MASK = 0xA282EAD8


def records_of(path: Path) -> Iterator[bytes]:
    """Yield every record of a file.

    Raises: BrokenRecording where the file is cut short, a checksum does not fit, or a length is more than a scene
        or the file can have: nothing behind that place can be found. StorageUnavailable where the disk does not
        give it.
    """
    with disk_errors(path):
        left = path.stat().st_size
        with path.open("rb") as stream:
            while left:
                head = stream.read(_LENGTH.size)
                if len(head) < _LENGTH.size:
                    raise BrokenRecording("cut short", f"{len(head)} bytes where a record begins")
                length, checksum = _LENGTH.unpack(head)
                if masked_crc(head[:8]) != checksum:
                    raise BrokenRecording("wrong checksum", "of a record's length: no TFRecord, or damaged")
                left -= _LENGTH.size + length + _CHECKSUM.size
                if left < 0:
                    raise BrokenRecording("cut short", f"a record of {length} bytes does not fit into the file")
                if length > LARGEST_FILE:
                    raise BrokenRecording("too large", f"a record of {length} bytes")
                content = stream.read(length)
                if masked_crc(content) != _CHECKSUM.unpack(stream.read(_CHECKSUM.size))[0]:
                    raise BrokenRecording("wrong checksum", f"of a record of {length} bytes")
                yield content


def masked_crc(content: bytes) -> int:
    """Give the checksum as TFRecord keeps it: CRC-32C, rotated right by 15 bits, plus a constant."""
    crc = google_crc32c.value(content)
    return int(((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF)
