"""The table of model families: one line each."""

from collections.abc import Mapping

from al_platform.domain.models import GridSpec, ModelSpec, TrainingSpec
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


def model_spec(
    family_name: str,
    classes: tuple[str, ...],
    *,
    members: int = 8,
    grid: GridSpec | None = None,
    training: TrainingSpec | None = None,
    options: Mapping[str, int] | None = None,
) -> ModelSpec:
    """Give a complete specification: what is not asked for is written out as the family has it.

    So a stored specification says everything, whatever the defaults become later.

    Raises: InvalidInput for an unknown family or option, or a specification that cannot be.
    """
    family = family_named(family_name)
    unknown = sorted(set(options or {}) - set(family.options))
    if unknown:
        known = ", ".join(sorted(family.options)) or "none"
        raise InvalidInput(f"option {unknown[0]}: model family {family_name} knows {known}")
    return ModelSpec(
        classes=classes,
        family=family_name,
        members=members,
        grid=grid or GridSpec(),
        training=training or family.training,
        options={**family.options, **(options or {})},
    )
