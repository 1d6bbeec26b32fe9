"""A prepared scene of traffic as the catalog knows it, and the file that it came from."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ScenarioReference:
    """One scenario. The id is the hash of its arrays, so the same scene, prepared alike, is the same scenario.

    The session's id is that of `ids.session_id_of`: scenes cut from one drive share it, and are split together.
    """

    scenario_id: str
    dataset: str
    session_id: str
    name: str
    """As the source calls the scene."""
    origin: str
    """The file that it was read from, and its number there where a file holds many."""
    source_id: str
    steps: int
    """Steps of 0.2 s."""
    agents: int
    vehicles: int
    pedestrians: int
    cyclists: int
    lights: int
    """Stop lines with a light along the route."""
    stop_signs: int
    route_m: float
    driven_m: float
    """How far the recorded ego drove."""
    shard: str
    shard_row: int
    """Where its arrays lie in the store of scenarios."""
    tags: tuple[str, ...] = ()
    report: Mapping[str, float] = field(default_factory=dict)
    """What was mended, dropped or noticed, and how often."""


@dataclass(frozen=True)
class RefusedPart:
    """A scene or file that was not taken in: where, the kind of trouble, and what gave it away."""

    origin: str
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class ScenarioSource:
    """A file that was read to its end. The id is the hash of its bytes, its format and how scenes were prepared."""

    source_id: str
    format: str
    origin: str
    scenarios: tuple[str, ...] = ()
    refused: tuple[RefusedPart, ...] = ()
