"""What was recorded: sessions, frames and the blobs that hold their pixels."""

from collections.abc import Mapping
from dataclasses import dataclass, field

TagValue = str | float

TIERS = ("hot", "archive")
"""Where a frame's pixels lie: at hand, or in storage that answers late."""


@dataclass(frozen=True)
class BlobRef:
    """Bytes in content-addressed storage."""

    hash: str
    size: int
    media_type: str


@dataclass(frozen=True)
class Session:
    """One drive. Train, pool and test sets are split by session, never by frame.

    The id is that of `ids.session_id_of`. `started_at` is UTC as `clock.utc_now` writes it; `latitude` and
    `longitude` are degrees (WGS 84) where the drive began. None where the source does not say.
    """

    session_id: str
    dataset: str
    started_at: str | None = None
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True)
class Frame:
    """One camera frame. The id is the hash of the image bytes, so the same picture is the same frame.

    The session's id is that of `ids.session_id_of`. `timestamp_s` is in seconds on the clock of its session,
    `latitude` and `longitude` are degrees (WGS 84); None where the source does not say.
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
    latitude: float | None = None
    longitude: float | None = None
    tier: str = TIERS[0]
