"""From what a person writes to the model that is meant: the family's defaults, and what is set otherwise."""

import dataclasses
from collections.abc import Mapping, Sequence

from al_platform.domain.models import GridSpec, ModelSpec, TrainingSpec
from al_platform.errors import InvalidInput
from al_platform.loop.strategies import STRATEGIES
from al_platform.models.families import FAMILIES, family_named, model_spec

Setting = str | int | float


def described_model(
    classes: Sequence[str],
    *,
    family: str,
    members: int,
    grid: GridSpec,
    settings: Mapping[str, Setting],
) -> ModelSpec:
    """Give the model of a family, its recipe and sizes changed by `settings`, {name: number}.

    Raises: InvalidInput for an unknown family, a setting that it does not have, or a model that cannot be.
    """
    known = family_named(family)
    recipe, sizes = _split(settings, known.options, known.training)
    return model_spec(family, tuple(classes), members=members, grid=grid, training=recipe, options=sizes)


def _split(
    settings: Mapping[str, Setting], sizes: Mapping[str, int], recipe: TrainingSpec
) -> tuple[TrainingSpec, dict[str, int]]:
    """Split settings into the recipe's fields and the family's sizes."""
    fields = {field.name: type(getattr(recipe, field.name)) for field in dataclasses.fields(recipe)}
    training: dict[str, int | float] = {}
    chosen: dict[str, int] = {}
    for name, value in settings.items():
        if name not in fields and name not in sizes:
            raise InvalidInput(f"setting {name}: known are {', '.join(sorted({*fields, *sizes}))}")
        try:
            if name in fields:
                training[name] = fields[name](str(value))
            else:
                chosen[name] = int(str(value))
        except ValueError:
            raise InvalidInput(f"setting {name}={value}: must be a number") from None
    return dataclasses.replace(recipe, **training), chosen  # type: ignore[arg-type]


def known_families() -> tuple[str, ...]:
    """Give the names of the architectures."""
    return tuple(FAMILIES)


def known_strategies() -> tuple[str, ...]:
    """Give the names of the strategies."""
    return tuple(STRATEGIES)
