"""From command line options to a model specification."""

import re

from al_platform.cli.parse import names
from al_platform.domain.models import GridSpec, ModelSpec, TrainingSpec
from al_platform.errors import InvalidInput

DEFAULT_IMAGE = "320x224/16"
DEFAULT_STEPS = TrainingSpec().steps


def model_spec(*, targets: str, classes: str, family: str, members: int, image: str, steps: int) -> ModelSpec:
    """Give the model that the options describe; the classes default to the targets.

    Raises: InvalidInput for an image size that does not parse, or a model that cannot be.
    """
    match = re.fullmatch(r"(\d+)x(\d+)/(\d+)", image.strip())
    if match is None:
        raise InvalidInput(f"image {image!r}: write WIDTHxHEIGHT/CELL, for example {DEFAULT_IMAGE}")
    width, height, cell = (int(part) for part in match.groups())
    return ModelSpec(
        classes=names(classes or targets),
        family=family,
        members=members,
        grid=GridSpec(image_height=height, image_width=width, cell=cell),
        training=TrainingSpec(steps=steps),
    )
