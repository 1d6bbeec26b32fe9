"""From command line options to a model specification."""

import re
from dataclasses import replace

from al_platform.cli.parse import names
from al_platform.domain.models import GridSpec, ModelSpec
from al_platform.errors import InvalidInput

DEFAULT_IMAGE = "320x224/16"


def described_model(
    *, targets: str, classes: str, family: str, members: int, image: str, steps: int | None
) -> ModelSpec:
    """Give the model that the options describe; the classes default to the targets.

    Raises: InvalidInput for an image size that does not parse, or a model that cannot be.
    """
    from al_platform.models.families import family_named, model_spec

    match = re.fullmatch(r"(\d+)x(\d+)/(\d+)", image.strip())
    if match is None:
        raise InvalidInput(f"image {image!r}: write WIDTHxHEIGHT/CELL, for example {DEFAULT_IMAGE}")
    width, height, cell = (int(part) for part in match.groups())
    recipe = family_named(family).training
    return model_spec(
        family,
        names(classes or targets),
        members=members,
        grid=GridSpec(image_height=height, image_width=width, cell=cell),
        training=replace(recipe, steps=steps) if steps is not None else recipe,
    )
