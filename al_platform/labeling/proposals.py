"""Boxes from what the ensemble believes: cells that hang together become one proposal."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from al_platform.domain.labels import Box
from al_platform.labeling.base import ScoredBox

PROPOSED_FROM = 0.5
"""A cell belongs to a proposal from this mean probability on."""


def proposed_boxes(
    probability_KHW: NDArray[Any], classes: Sequence[str], *, width: int, height: int, threshold: float = PROPOSED_FROM
) -> tuple[ScoredBox, ...]:
    """Give a box around every group of cells whose probability is at least `threshold`, corners touching included.

    `probability_KHW` is the members' mean per class, row and column of cells; boxes are in pixels of a picture of
    `width` x `height`, scored by the highest probability in the group, class by class, best first.
    """
    found: list[ScoredBox] = []
    for name, map_HW in zip(classes, probability_KHW, strict=True):
        groups_HW, _ = ndimage.label(map_HW >= threshold, structure=np.ones((3, 3)))
        scored = [
            ScoredBox(_box(name, cells, map_HW.shape, width, height), float(map_HW[groups_HW == group].max()))
            for group, cells in enumerate(ndimage.find_objects(groups_HW), start=1)
        ]
        found.extend(sorted(scored, key=lambda proposal: -proposal.score))
    return tuple(found)


def _box(name: str, cells: tuple[slice, ...], shape: tuple[int, ...], width: int, height: int) -> Box:
    rows, columns = cells
    cell_height, cell_width = height / shape[0], width / shape[1]
    return Box(
        name,
        x_min=columns.start * cell_width,
        y_min=rows.start * cell_height,
        x_max=columns.stop * cell_width,
        y_max=rows.stop * cell_height,
    )
