"""Labels as the ensemble sees them: which class is present in which cell of the grid.

Axes: K classes, H and W pixels, then rows and columns of cells.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from al_platform.datasets.images import decode_mask
from al_platform.domain.labels import Annotation, Box
from al_platform.domain.models import GridSpec
from al_platform.errors import InvalidInput

CODE_VERSION = 1
"""Raised whenever the same label would give another map."""
ABSENT = 0
PRESENT = 1
UNKNOWN = 255
KNOWN_SHARE = 0.5
"""A cell with a smaller share of known pixels is unknown."""
SMALLEST_OBJECT_PIXELS = 8
"""Fewer pixels that hang together are a fleck of the label, not an object."""
ROUNDING = 1e-9
"""Cell shares of boxes are sums of float64 products; this much below the threshold still is the threshold."""


def presence_of(
    annotation: Annotation, mask_bytes: bytes | None, *, classes: Sequence[str], grid: GridSpec
) -> NDArray[np.uint8]:
    """Give the presence map of an annotation, [K, rows, columns] of 1 present, 0 absent, 255 unknown.

    `mask_bytes` is the content of `annotation.mask`; None for boxes.
    Raises: InvalidInput where the mask's bytes are missing or are no mask.
    """
    if annotation.mask is None:
        return presence_from_boxes(
            annotation.boxes,
            annotation.width,
            annotation.height,
            annotated=annotation.classes,
            classes=classes,
            grid=grid,
        )
    presence = presence_from_mask(
        decode_mask(_required(mask_bytes, annotation)),
        _values_of(annotation),
        annotation.ignore_values,
        classes=classes,
        grid=grid,
    )
    presence[[name not in annotation.classes for name in classes]] = UNKNOWN
    return presence


def presence_from_mask(
    mask_HW: NDArray[np.uint8],
    values: Mapping[int, str],
    ignore: Sequence[int],
    *,
    classes: Sequence[str],
    grid: GridSpec,
) -> NDArray[np.uint8]:
    """Give the presence map [K, rows, columns] of a mask: 1 present, 0 absent, 255 unknown.

    The mask is resized (nearest) to the grid's image. A class is present where it covers at least
    `grid.positive_share` of the cell's known pixels; a cell with less than half known pixels is unknown, and
    a class that no mask value names is unknown everywhere. Pixels of ignored or unnamed values are unknown.
    """
    resized_HW = _nearest(mask_HW, height=grid.image_height, width=grid.image_width)
    known = _pixels_per_cell(resized_HW, [value for value in values if value not in ignore], grid)
    presence = np.full((len(classes), grid.rows, grid.columns), UNKNOWN, np.uint8)
    for k, name in enumerate(classes):
        chosen = _values_named(name, values, ignore=ignore)
        if chosen:
            share = _pixels_per_cell(resized_HW, chosen, grid) / np.maximum(known, 1)
            presence[k] = np.where(share >= grid.positive_share, PRESENT, ABSENT)
    presence[:, known < KNOWN_SHARE * grid.cell**2] = UNKNOWN
    return presence


def presence_from_boxes(
    boxes: Sequence[Box],
    width: int,
    height: int,
    *,
    annotated: Sequence[str],
    classes: Sequence[str],
    grid: GridSpec,
) -> NDArray[np.uint8]:
    """Give the presence map [K, rows, columns] of boxes: 1 present, 0 absent, 255 unknown.

    `width` and `height` are the pixels of the image in which the boxes are given. A class is present where
    the union of its boxes covers at least `grid.positive_share` of the cell; a class that was not annotated
    is unknown everywhere.
    Raises: InvalidInput where the image has no size.
    """
    if width < 1 or height < 1:
        raise InvalidInput(f"image of {width} x {height} pixels: boxes need the size of their image")
    presence = np.full((len(classes), grid.rows, grid.columns), UNKNOWN, np.uint8)
    for k, name in enumerate(classes):
        if name in annotated:
            edges = np.array(
                [(box.x_min, box.y_min, box.x_max, box.y_max) for box in boxes if box.class_name == name]
            ).reshape(-1, 4)
            cells = edges * ([grid.columns / width, grid.rows / height] * 2)
            share = _covered_share(cells, rows=grid.rows, columns=grid.columns)
            presence[k] = np.where(share >= grid.positive_share - ROUNDING, PRESENT, ABSENT)
    return presence


def object_counts(annotation: Annotation, mask_bytes: bytes | None, *, classes: Sequence[str]) -> dict[str, int]:
    """Count the objects of each class that was annotated; classes that were not are left out.

    Boxes: their number. Masks: groups of at least 8 pixels that touch, corners included; objects of one class
    that overlap in the picture count as one.
    Raises: InvalidInput where the mask's bytes are missing or are no mask.
    """
    annotated = [name for name in classes if name in annotation.classes]
    if annotation.mask is None:
        return {name: sum(box.class_name == name for box in annotation.boxes) for name in annotated}
    mask_HW = decode_mask(_required(mask_bytes, annotation))
    values, ignore = _values_of(annotation), annotation.ignore_values
    return {
        name: _count_groups(_member_table(_values_named(name, values, ignore=ignore))[mask_HW]) for name in annotated
    }


def _required(mask_bytes: bytes | None, annotation: Annotation) -> bytes:
    if mask_bytes is None:
        raise InvalidInput(f"annotation of frame {annotation.frame_id}: is a mask, its bytes are needed")
    return mask_bytes


def _values_of(annotation: Annotation) -> dict[int, str]:
    return {int(value): name for value, name in annotation.mask_values.items()}


def _values_named(name: str, values: Mapping[int, str], *, ignore: Sequence[int]) -> list[int]:
    return [value for value, named in values.items() if named == name and value not in ignore]


def _nearest(mask_HW: NDArray[np.uint8], *, height: int, width: int) -> NDArray[np.uint8]:
    """Take the source pixel under the centre of each target pixel."""
    rows = (2 * np.arange(height) + 1) * mask_HW.shape[0] // (2 * height)
    columns = (2 * np.arange(width) + 1) * mask_HW.shape[1] // (2 * width)
    resized_HW: NDArray[np.uint8] = mask_HW[rows[:, None], columns]
    return resized_HW


def _member_table(values: Sequence[int]) -> NDArray[np.bool_]:
    table = np.zeros(256, np.bool_)
    table[list(values)] = True
    return table


def _pixels_per_cell(mask_HW: NDArray[np.uint8], values: Sequence[int], grid: GridSpec) -> NDArray[np.int64]:
    """Count the pixels with one of the values, [rows, columns]."""
    chosen_HW = _member_table(values)[mask_HW]
    cells = chosen_HW.reshape(grid.rows, grid.cell, grid.columns, grid.cell)
    return np.asarray(np.count_nonzero(cells, axis=(1, 3)), np.int64)


def _covered_share(boxes_N4: NDArray[np.float64], *, rows: int, columns: int) -> NDArray[np.float64]:
    """Give the exact share of each unit cell that the union of boxes covers, [rows, columns] in [0, 1].

    Boxes are (x_min, y_min, x_max, y_max) in cells. The picture is cut at every edge of a box or cell, so
    that each piece is covered wholly or not at all.
    """
    x_N2 = np.clip(boxes_N4[:, [0, 2]], 0, columns)
    y_N2 = np.clip(boxes_N4[:, [1, 3]], 0, rows)
    x_cuts = np.unique(np.concatenate([np.arange(columns + 1.0), x_N2.ravel()]))
    y_cuts = np.unique(np.concatenate([np.arange(rows + 1.0), y_N2.ravel()]))
    covered = np.zeros((len(y_cuts) - 1, len(x_cuts) - 1))
    for (left, right), (top, bottom) in zip(np.searchsorted(x_cuts, x_N2), np.searchsorted(y_cuts, y_N2), strict=True):
        covered[top:bottom, left:right] = 1.0
    areas = covered * np.diff(y_cuts)[:, None] * np.diff(x_cuts)
    by_row = np.add.reduceat(areas, np.searchsorted(y_cuts, np.arange(rows)), axis=0)
    share: NDArray[np.float64] = np.add.reduceat(by_row, np.searchsorted(x_cuts, np.arange(columns)), axis=1)
    return share


def _count_groups(chosen_HW: NDArray[np.bool_]) -> int:
    from scipy import ndimage  # noqa: PLC0415  half a second that only counting needs

    groups_HW, _ = ndimage.label(chosen_HW, structure=np.ones((3, 3)))
    return int(np.count_nonzero(np.bincount(groups_HW.ravel())[1:] >= SMALLEST_OBJECT_PIXELS))
