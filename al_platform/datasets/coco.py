"""Adapter `coco`: images with boxes, listed by a COCO detection file."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from al_platform.datasets.base import AdapterRequest, DatasetAdapter, SourceFrame, SourceLabel
from al_platform.datasets.coco_file import (
    CocoFile,
    Record,
    boxes_of,
    find_image,
    key_of,
    orphans_of,
    read_coco,
    size_of,
)
from al_platform.datasets.images import image_size
from al_platform.datasets.naming import frame_number_of, posix_path, session_of
from al_platform.datasets.options import existing_path, refuse_unknown_options, yes_or_no
from al_platform.datasets.parse import finite, latitude, longitude, whole
from al_platform.domain.data import TagValue
from al_platform.domain.ingest import BrokenSource
from al_platform.errors import InvalidInput

OPTIONS = ("images", "dataset", "unlabeled")
NOT_TAGS = frozenset(
    {
        "id",
        "file_name",
        "width",
        "height",
        "license",
        "flickr_url",
        "coco_url",
        "date_captured",
        "session_id",
        "frame_number",
        "timestamp",
        "timestamp_s",
        "latitude",
        "longitude",
    }
)


@dataclass(frozen=True)
class CocoImage:
    """One image of the file with everything but its bytes. `size` is (width, height) in pixels."""

    path: Path
    size: tuple[int, int]
    session_id: str
    frame_number: int
    timestamp_s: float | None
    tags: Mapping[str, TagValue]
    label: SourceLabel | None
    latitude: float | None
    longitude: float | None


@dataclass(frozen=True)
class CocoImages:
    """The images of a COCO file in its order, and after each what had to be left out of its boxes."""

    dataset: str
    items: tuple[CocoImage | BrokenSource, ...]

    def count(self) -> int:
        """Give the number of images and of notes about what cannot be used."""
        return len(self.items)

    def read(self) -> Iterator[SourceFrame | BrokenSource]:
        """Yield every image as a frame, or name what cannot be used."""
        for item in self.items:
            yield item if isinstance(item, BrokenSource) else self._read_image(item)

    def _read_image(self, item: CocoImage) -> SourceFrame | BrokenSource:
        try:
            image = item.path.read_bytes()
            size = image_size(image)
        except OSError as error:
            return BrokenSource(str(item.path), f"cannot be read: {error.strerror or error}")
        except InvalidInput as error:
            return BrokenSource(str(item.path), str(error))
        if size != item.size:
            listed = f"{item.size[0]} x {item.size[1]}"
            return BrokenSource(str(item.path), f"image of {size[0]} x {size[1]} pixels is listed as {listed}")
        return SourceFrame(
            dataset=self.dataset,
            session_id=item.session_id,
            frame_number=item.frame_number,
            image=image,
            timestamp_s=item.timestamp_s,
            tags=item.tags,
            latitude=item.latitude,
            longitude=item.longitude,
            label=item.label,
            origin=str(item.path),
        )


def coco_adapter(request: AdapterRequest) -> DatasetAdapter:
    """Open a COCO detection file, or a folder that holds one.

    Options: `images` is the folder of the images (default: that of the file); `dataset` names the frames
    (default: the name of the file's folder); `unlabeled=true` leaves all labels away.
    Annotators are taken to have looked for every category of the file: an image without annotations is
    labelled as empty. A file without categories gives unlabelled frames. Boxes are cut at the image's edges;
    boxes without area there and boxes of unknown categories are left out, each with a note, and their frame
    is kept; `iscrowd` boxes are boxes. `session_id`, `frame_number`, `timestamp_s` (or `timestamp`, in seconds),
    `latitude` and `longitude` (in degrees) are read from the image's entry; the session is else the folder in
    `file_name` or the stem up to its last underscore. Other numbers and texts of the entry become tags, those
    named `frac_...` aside.
    Raises: InvalidInput where the path, the folder of images or the file's structure is not as expected.
    """
    refuse_unknown_options(request, adapter="coco", accepted=OPTIONS)
    path = _json_at(existing_path(request, adapter="coco"))
    root = Path(request.options.get("images", path.parent))
    if not root.is_dir():
        raise InvalidInput(f"images {root}: no such folder")
    dataset = request.options.get("dataset", path.resolve().parent.name)
    unlabeled = yes_or_no(request, "unlabeled", default=False)
    return CocoImages(dataset, tuple(_items(read_coco(path), root=root, dataset=dataset, unlabeled=unlabeled)))


def _json_at(path: Path) -> Path:
    if path.is_file():
        return path
    found = sorted([*path.glob("*.json"), *path.glob("annotations/*.json")])
    if len(found) != 1:
        names = ", ".join(str(one.relative_to(path)) for one in found) or "no JSON file"
        raise InvalidInput(f"path {path}: holds {names}; name the COCO file itself")
    return found[0]


def _items(file: CocoFile, *, root: Path, dataset: str, unlabeled: bool) -> Iterator[CocoImage | BrokenSource]:
    """Yield the images of the file, after each the notes on its boxes, and last the boxes of no image."""
    labelled = bool(file.class_names) and not unlabeled
    seen: set[str] = set()
    for position, image in enumerate(file.images):
        try:
            names = _names_once(image, seen)
            path, relative = find_image(root, names[0]), posix_path(names[0])
            size = size_of(image, path)
            found = boxes_of(file, image, size=size) if labelled else None
            yield CocoImage(
                path=path,
                size=size,
                session_id=str(image.get("session_id") or session_of(relative, dataset=dataset)),
                frame_number=_frame_number(image, frame_number_of(relative, position=position)),
                timestamp_s=_timestamp(image),
                tags=_tags(image),
                latitude=_degrees(image, "latitude", latitude),
                longitude=_degrees(image, "longitude", longitude),
                label=SourceLabel(_classes(file), boxes=found.boxes) if found else None,
            )
            yield from found.notes if found else ()
        except InvalidInput as error:
            name = image.get("file_name") or f"with id {key_of(image.get('id'))}"
            yield BrokenSource(f"{file.path}: image {name}", str(error))
    yield from orphans_of(file) if labelled else ()


def _names_once(image: Record, seen: set[str]) -> tuple[str, str]:
    """Give the file name and the id of an image, and refuse those that came before."""
    file_name, key = image.get("file_name"), f"id {key_of(image.get('id'))}"
    if not isinstance(file_name, str) or not file_name.strip():
        raise InvalidInput("has no file_name")
    for name in (file_name, key):
        if name in seen:
            raise InvalidInput(f"{name} was already listed")
    seen |= {file_name, key}
    return file_name, key


def _classes(file: CocoFile) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in file.class_names.values() if name))


def _frame_number(image: Record, fallback: int) -> int:
    value = image.get("frame_number")
    try:
        return fallback if value is None else whole(value)
    except ValueError as error:
        raise InvalidInput(f"frame_number {value!r}: must be a whole number") from error


def _timestamp(image: Record) -> float | None:
    value = image.get("timestamp_s", image.get("timestamp"))
    try:
        return None if value is None else finite(value)
    except ValueError as error:
        raise InvalidInput(f"timestamp {value!r}: must be in seconds") from error


def _degrees(image: Record, name: str, parse: Callable[[object], float]) -> float | None:
    value = image.get(name)
    try:
        return None if value is None else parse(value)
    except ValueError as error:
        raise InvalidInput(f"{name} {value!r}: must be in degrees") from error


def _tags(image: Record) -> dict[str, TagValue]:
    tags: dict[str, TagValue] = {}
    for name, value in image.items():
        if name in NOT_TAGS or name.startswith("frac_"):
            continue
        if isinstance(value, str) and value:
            tags[name] = value
        elif isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value):
            tags[name] = float(value)
    return tags
