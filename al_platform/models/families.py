"""The table of model families: one line each."""

from collections.abc import Mapping

from al_platform.errors import InvalidInput
from al_platform.models.base import ModelFamily
from al_platform.models.prefix_heads import PREFIX_HEADS
from al_platform.models.unet import UNET

FAMILIES: Mapping[str, ModelFamily] = {family.name: family for family in (PREFIX_HEADS, UNET)}


def family_named(name: str) -> ModelFamily:
    """The family of that name.

    Raises: InvalidInput where there is none.
    """
    if name not in FAMILIES:
        raise InvalidInput(f"model family {name}: known are {', '.join(sorted(FAMILIES))}")
    return FAMILIES[name]
