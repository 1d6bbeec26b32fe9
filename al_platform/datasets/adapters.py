"""The table of dataset adapters: one line each."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from al_platform.datasets.base import AdapterRequest, DatasetAdapter
from al_platform.datasets.coco import coco_adapter
from al_platform.datasets.masks import masks_adapter
from al_platform.datasets.synthetic.adapter import synthetic_adapter
from al_platform.errors import InvalidInput

OpenAdapter = Callable[[AdapterRequest], DatasetAdapter]

ADAPTERS: Mapping[str, OpenAdapter] = MappingProxyType(
    {
        "masks": masks_adapter,
        "coco": coco_adapter,
        "synthetic": synthetic_adapter,
    }
)


def adapter_named(name: str) -> OpenAdapter:
    """Give the adapter of that name.

    Raises: InvalidInput listing the known names.
    """
    if name not in ADAPTERS:
        raise InvalidInput(f"adapter {name}: known are {', '.join(ADAPTERS)}")
    return ADAPTERS[name]
