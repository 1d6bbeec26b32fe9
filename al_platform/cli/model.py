"""From command line options to a model specification."""

import dataclasses
import re
from collections.abc import Mapping

from al_platform.cli.parse import names, options
from al_platform.domain.models import GridSpec, ModelSpec, TrainingSpec
from al_platform.errors import InvalidInput

DEFAULT_IMAGE = "320x224/16"


def described_model(
    *, targets: str, classes: str, family: str, members: int, image: str, settings: list[str] | None
) -> ModelSpec:
    """Give the model that the options describe; the classes default to the targets.

    Raises: InvalidInput for an image size that does not parse, or a model that cannot be.
    """
    from al_platform.models.families import family_named, model_spec

    match = re.fullmatch(r"(\d+)x(\d+)/(\d+)", image.strip())
    if match is None:
        raise InvalidInput(f"image {image!r}: write WIDTHxHEIGHT/CELL, for example {DEFAULT_IMAGE}")
    width, height, cell = (int(part) for part in match.groups())
    known = family_named(family)
    recipe, sizes = _settings(settings or [], known.options, known.training)
    return model_spec(
        family,
        names(classes or targets),
        members=members,
        grid=GridSpec(image_height=height, image_width=width, cell=cell),
        training=recipe,
        options=sizes,
    )


def _settings(pairs: list[str], sizes: Mapping[str, int], recipe: TrainingSpec) -> tuple[TrainingSpec, dict[str, int]]:
    """Split `--set` pairs into the recipe's fields and the family's sizes."""
    fields = {field.name: type(getattr(recipe, field.name)) for field in dataclasses.fields(recipe)}
    training: dict[str, int | float] = {}
    chosen: dict[str, int] = {}
    for name, text in options(pairs).items():
        if name not in fields and name not in sizes:
            raise InvalidInput(f"setting {name}: known are {', '.join(sorted({*fields, *sizes}))}")
        try:
            if name in fields:
                training[name] = fields[name](text)
            else:
                chosen[name] = int(text)
        except ValueError:
            raise InvalidInput(f"setting {name}={text}: must be a number") from None
    return dataclasses.replace(recipe, **training), chosen  # type: ignore[arg-type]
