"""The table of dataset adapters: one line each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from al_platform.datasets import coco, masks
from al_platform.datasets.base import AdapterRequest, DatasetAdapter
from al_platform.datasets.camera import adapter as camera
from al_platform.datasets.camera.adapter import camera_adapter
from al_platform.datasets.coco import coco_adapter
from al_platform.datasets.masks import masks_adapter
from al_platform.datasets.synthetic import adapter as synthetic
from al_platform.datasets.synthetic.adapter import synthetic_adapter
from al_platform.errors import InvalidInput

OpenAdapter = Callable[[AdapterRequest], DatasetAdapter]


@dataclass(frozen=True)
class KnownAdapter:
    """How a source is opened, and the options that it takes."""

    open: OpenAdapter
    options: Sequence[str]


ADAPTERS: Mapping[str, KnownAdapter] = MappingProxyType(
    {
        "masks": KnownAdapter(masks_adapter, masks.OPTIONS),
        "coco": KnownAdapter(coco_adapter, coco.OPTIONS),
        "synthetic": KnownAdapter(synthetic_adapter, synthetic.OPTIONS),
        "camera": KnownAdapter(camera_adapter, camera.OPTIONS),
    }
)


def adapter_named(name: str) -> OpenAdapter:
    """Give the adapter of that name.

    Raises: InvalidInput listing the known names.
    """
    if name not in ADAPTERS:
        raise InvalidInput(f"adapter {name}: known are {', '.join(ADAPTERS)}")
    return ADAPTERS[name].open
