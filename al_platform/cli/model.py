"""From command line options to a model specification."""

import re

from al_platform.cli.parse import names, options
from al_platform.domain.models import GridSpec, ModelSpec
from al_platform.errors import InvalidInput

DEFAULT_IMAGE = "320x224/16"


def described_grid(image: str) -> GridSpec:
    """Give the grid that WIDTHxHEIGHT/CELL means.

    Raises: InvalidInput for a text that does not parse, or cells that do not tile the image.
    """
    match = re.fullmatch(r"(\d+)x(\d+)/(\d+)", image.strip())
    if match is None:
        raise InvalidInput(f"image {image!r}: write WIDTHxHEIGHT/CELL, for example {DEFAULT_IMAGE}")
    width, height, cell = (int(part) for part in match.groups())
    return GridSpec(image_height=height, image_width=width, cell=cell)


def described_model(
    *, targets: str, classes: str, family: str, members: int, image: str, settings: list[str] | None
) -> ModelSpec:
    """Give the model that the options describe; the classes default to the targets.

    Raises: InvalidInput for an image size that does not parse, or a model that cannot be.
    """
    from al_platform.platform import described

    return described.described_model(
        names(classes or targets),
        family=family,
        members=members,
        grid=described_grid(image),
        settings=options(settings or []),
    )
