"""The dataset adapter protocol: a source of frames, some with labels. One file and one line in `ADAPTERS` each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from al_platform.domain.data import TagValue
from al_platform.domain.ingest import BrokenSource
from al_platform.domain.labels import Box


@dataclass(frozen=True)
class SourceLabel:
    """A label as its source has it: an encoded mask (PNG bytes) with the meaning of its values, or boxes."""

    classes: tuple[str, ...]
    mask: bytes | None = None
    mask_values: Mapping[int, str] = field(default_factory=dict)
    ignore_values: tuple[int, ...] = ()
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True)
class SourceFrame:
    """One frame as its source has it. `image` holds encoded JPEG or PNG bytes, never re-encoded by ingest."""

    dataset: str
    session_id: str
    """As the dataset calls it; the catalog calls it `dataset/session`."""
    frame_number: int
    image: bytes
    timestamp_s: float | None = None
    tags: Mapping[str, TagValue] = field(default_factory=dict)
    label: SourceLabel | None = None
    latitude: float | None = None
    longitude: float | None = None
    """Degrees, WGS 84."""
    origin: str = ""
    """Where it was read, for messages: a path, or the generator's name and number."""


@dataclass(frozen=True)
class AdapterRequest:
    """What the user asked for: `alp ingest ADAPTER PATH --option KEY=VALUE ...`."""

    path: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


class DatasetAdapter(Protocol):
    """A source that knows how many frames it has and yields each once, always in the same order."""

    def count(self) -> int:
        """Give the number of items that `read` will yield, broken ones included."""

    def read(self) -> Iterator[SourceFrame | BrokenSource]:
        """Yield every frame, or the reason why it cannot be had."""
