"""COCO detection files as many tools write them, checked and put into records."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from al_platform.datasets.images import image_size
from al_platform.datasets.naming import posix_path
from al_platform.datasets.parse import finite
from al_platform.domain.ingest import BrokenSource
from al_platform.domain.labels import Box
from al_platform.errors import InvalidInput

Record = Mapping[str, Any]


@dataclass(frozen=True)
class CocoFile:
    """The lists of one file: categories by id, images in order, annotations by the id of their image."""

    path: Path
    class_names: Mapping[str, str]
    images: tuple[Record, ...]
    annotations: Mapping[str, tuple[Record, ...]]


@dataclass(frozen=True)
class ImageBoxes:
    """The boxes of one image inside its edges, and a note for each that was left out."""

    boxes: tuple[Box, ...] = ()
    notes: tuple[BrokenSource, ...] = field(default=())


def read_coco(path: Path) -> CocoFile:
    """Read a COCO file. Only `images` is required; `info`, `licenses` and whatever else may be missing.

    Raises: InvalidInput where it is no JSON object with `images`, or has annotations without categories.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInput(f"{path}: not readable as JSON ({error})") from error
    if not isinstance(content, dict) or "images" not in content:
        raise InvalidInput(f"{path}: needs an object with `images`, `annotations` and `categories`")
    images, annotations, categories = (
        _records(content, name, path=path) for name in ("images", "annotations", "categories")
    )
    if annotations and not categories:
        raise InvalidInput(f"{path}: has annotations but no `categories`; export the file with its categories")
    by_image: dict[str, list[Record]] = {}
    for annotation in annotations:
        by_image.setdefault(key_of(annotation.get("image_id")), []).append(annotation)
    return CocoFile(
        path,
        {key_of(category.get("id")): str(category.get("name", "")).strip() for category in categories},
        images,
        {image: tuple(found) for image, found in by_image.items()},
    )


def key_of(value: object) -> str:
    """Give the text of an id, so that 1, 1.0 and "1" are the same."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def boxes_of(file: CocoFile, image: Record, *, size: tuple[int, int]) -> ImageBoxes:
    """Give the boxes of an image of `size` (width, height) in pixels, cut at its edges.

    A box without area inside the image, or of a category without a name, is left out with a note.
    Raises: InvalidInput where a box is not four numbers: what it marked cannot be known.
    """
    boxes: list[Box] = []
    notes: list[BrokenSource] = []
    for annotation in file.annotations.get(key_of(image.get("id")), ()):
        origin = f"{file.path}: annotation {key_of(annotation.get('id', '?'))}"
        name = file.class_names.get(key_of(annotation.get("category_id")))
        if not name:
            reason = f"category {annotation.get('category_id')!r} has no name in `categories`; box left out"
            notes.append(BrokenSource(origin, reason))
            continue
        box = _clipped(name, _four_numbers(annotation), size=size)
        if box.x_max > box.x_min and box.y_max > box.y_min:
            boxes.append(box)
        else:
            reason = f"bbox {annotation['bbox']} has no area inside {size[0]} x {size[1]} pixels; box left out"
            notes.append(BrokenSource(origin, reason))
    return ImageBoxes(tuple(boxes), tuple(notes))


def orphans_of(file: CocoFile) -> tuple[BrokenSource, ...]:
    """Name the annotations whose image the file does not list."""
    known = {key_of(image.get("id")) for image in file.images}
    return tuple(
        BrokenSource(f"{file.path}: annotation {key_of(annotation.get('id', '?'))}", f"image {image} is not listed")
        for image, annotations in file.annotations.items()
        if image not in known
        for annotation in annotations
    )


def find_image(root: Path, file_name: str) -> Path:
    """Give the file that is meant: below `root` as named, else by its last part there or in images/."""
    named = posix_path(file_name)
    candidates = (root / named, root / named.name, root / "images" / named.name)
    return next((path for path in candidates if path.is_file()), candidates[0])


def size_of(image: Record, path: Path) -> tuple[int, int]:
    """Give (width, height) in pixels as the file says, else from the header of the image.

    Raises: InvalidInput where neither can be had.
    """
    width, height = image.get("width"), image.get("height")
    if isinstance(width, int) and isinstance(height, int) and width > 0 and height > 0:
        return width, height
    try:
        return image_size(path.read_bytes())
    except OSError as error:
        raise InvalidInput(f"cannot be read: {error.strerror or error}") from error


def _records(content: Record, name: str, *, path: Path) -> tuple[Record, ...]:
    found = content.get(name) or []
    if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
        raise InvalidInput(f"{path}: `{name}` must be a list of objects")
    return tuple(found)


def _four_numbers(annotation: Record) -> Sequence[float]:
    bbox = annotation.get("bbox")
    try:
        numbers = [finite(value) for value in bbox] if isinstance(bbox, list) else []
    except ValueError:
        numbers = []
    if len(numbers) != 4:
        raise InvalidInput(f"annotation {annotation.get('id', '?')}: bbox {bbox!r} must be x, y, width, height")
    return numbers


def _clipped(name: str, bbox: Sequence[float], *, size: tuple[int, int]) -> Box:
    x, y, across, down = bbox
    width, height = size
    return Box(
        name,
        x_min=min(max(x, 0.0), width),
        y_min=min(max(y, 0.0), height),
        x_max=min(max(x + across, 0.0), width),
        y_max=min(max(y + down, 0.0), height),
    )
