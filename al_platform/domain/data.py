"""What was recorded: sessions, frames and the blobs that hold their pixels."""

from collections.abc import Mapping
from dataclasses import dataclass, field

TagValue = str | float


@dataclass(frozen=True)
class BlobRef:
    """Bytes in content-addressed storage."""

    hash: str
    size: int
    media_type: str


@dataclass(frozen=True)
class Session:
    """One drive. Train, pool and test sets are split by session, never by frame."""

    session_id: str
    dataset: str
    tags: Mapping[str, TagValue] = field(default_factory=dict)


@dataclass(frozen=True)
class Frame:
    """One camera frame. The id is the hash of the image bytes, so the same picture is the same frame.

    `timestamp_s` is in seconds on the clock of its session; None where the source has no clock.
    """

    frame_id: str
    dataset: str
    session_id: str
    image: BlobRef
    width: int
    height: int
    frame_number: int
    timestamp_s: float | None = None
    tags: Mapping[str, TagValue] = field(default_factory=dict)
