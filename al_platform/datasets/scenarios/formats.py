"""The table of formats of recorded traffic: one line each."""

from collections.abc import Mapping
from types import MappingProxyType

from al_platform.datasets.scenarios.av2 import AV2
from al_platform.datasets.scenarios.base import ScenarioFormat
from al_platform.datasets.scenarios.scenarionet import SCENARIONET
from al_platform.datasets.scenarios.womd_json import WOMD_JSON
from al_platform.datasets.scenarios.womd_proto import WOMD_PROTO
from al_platform.errors import InvalidInput

FORMATS: Mapping[str, ScenarioFormat] = MappingProxyType(
    {
        "womd-json": WOMD_JSON,
        "womd-proto": WOMD_PROTO,
        "scenarionet": SCENARIONET,
        "av2": AV2,
    }
)

WITHOUT_A_MAP: Mapping[str, str] = MappingProxyType(
    {
        "lyft-zarr": "Lyft Level 5 keeps agents and lights in zarr and its map elsewhere; without a map there is no "
        "road to stay on",
    }
)
"""Formats that people ask for and that cannot be taken in, with the reason."""


def format_named(name: str) -> ScenarioFormat:
    """Give the format of that name.

    Raises: InvalidInput listing the known names, or with the reason why this one cannot be read.
    """
    if name in WITHOUT_A_MAP:
        raise InvalidInput(f"format {name}: {WITHOUT_A_MAP[name]}")
    if name not in FORMATS:
        raise InvalidInput(f"format {name}: known are {', '.join(FORMATS)}")
    return FORMATS[name]
