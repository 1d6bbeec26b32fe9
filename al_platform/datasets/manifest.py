"""Which images and masks a folder holds: from its CSV manifest, or from its images/ and masks/ folders."""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TypeVar

from al_platform.datasets.naming import frame_number_of, posix_path, session_of
from al_platform.datasets.parse import finite, latitude, longitude, whole
from al_platform.domain.data import TagValue
from al_platform.domain.ingest import BrokenSource
from al_platform.errors import InvalidInput

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
NOT_TAGS = (
    *("dataset", "image", "mask", "session_id", "frame_number", "timestamp_s"),
    *("latitude", "longitude", "width", "height"),
)
LABEL_DERIVED = "frac_"


@dataclass(frozen=True)
class ManifestRow:
    """One image of a folder and, where it has one, its mask."""

    dataset: str
    image: Path
    mask: Path | None
    session_id: str
    frame_number: int
    timestamp_s: float | None = None
    tags: Mapping[str, TagValue] = field(default_factory=dict)
    latitude: float | None = None
    longitude: float | None = None


ManifestItem = ManifestRow | BrokenSource
Number = TypeVar("Number", int, float)

_MEANT: Mapping[object, str] = {
    whole: "a whole number",
    latitude: "degrees in [-90, 90]",
    longitude: "degrees in [-180, 180]",
}


def read_manifest(path: Path, *, dataset: str | None) -> tuple[ManifestItem, ...]:
    """Read a CSV with a column `image` (paths from the CSV's folder); all other columns are optional.

    `mask`, `session_id`, `frame_number`, `timestamp_s` (seconds), `latitude`, `longitude` (degrees) and `dataset` say
    what they are called for; `width` and `height` are read from the images instead. Every other column becomes a
    tag: a number where it parses as a finite one, else text; empty cells give no tag. Columns that begin with
    `frac_` are dropped: they are computed from labels, and as tags they would tell the pool what it must not know.

    `dataset` keeps the rows of that dataset; in a CSV without a column `dataset` it names them.
    Raises: InvalidInput where the file is no CSV, lacks `image`, or holds no row of that dataset.
    """
    header, lines = _read_lines(path)
    default = dataset if dataset and "dataset" not in header else path.resolve().parent.name
    rows = [(line, cells, dict(zip(header, cells, strict=False))) for line, cells in lines]
    chosen = [(*row, row[2].get("dataset") or default) for row in rows]
    seen: dict[str, int] = {}
    items: list[ManifestItem] = []
    for line, cells, row, named in chosen:
        origin = f"{path}:{line}"
        if dataset not in (None, named):
            continue
        if len(cells) != len(header):
            items.append(BrokenSource(origin, f"{len(cells)} columns, the first line names {len(header)}"))
        else:
            items.append(_parse_once(row, seen, root=path.parent, dataset=named, line=line, origin=origin))
    if dataset is not None and not items:
        found = ", ".join(sorted({named for *_, named in chosen})) or "no rows"
        raise InvalidInput(f"dataset {dataset}: {path} holds {found}")
    return tuple(items)


def scan_folder(root: Path, *, dataset: str) -> tuple[ManifestItem, ...]:
    """List images/ (with sub-folders) in the order of the names; masks/ holds the same names as PNG.

    The session is the sub-folder, else the stem up to its last underscore. A mask without an image is broken.
    Raises: InvalidInput where there is no folder images/ with JPEG or PNG files.
    """
    images = _files_below(root / "images", suffixes=IMAGE_SUFFIXES)
    if not images:
        raise InvalidInput(
            f"{root}: needs a CSV manifest with a column `image`, or folders images/ and masks/ with files"
        )
    masks = _files_below(root / "masks", suffixes=(".png",))
    rows: list[ManifestItem] = []
    for position, relative in enumerate(images):
        mask = relative.with_suffix(".png")
        rows.append(
            ManifestRow(
                dataset,
                root / "images" / relative,
                root / "masks" / mask if mask in masks else None,
                session_of(relative, dataset=dataset),
                frame_number_of(relative, position=position),
            )
        )
    stems = {relative.with_suffix("") for relative in images}
    orphans = [relative for relative in masks if relative.with_suffix("") not in stems]
    return (*rows, *(BrokenSource(str(root / "masks" / mask), "mask without an image") for mask in orphans))


def _read_lines(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Give the column names, and every line that is not empty with its number."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader if any(cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"{path}: not readable as CSV in UTF-8 ({error})") from error
    header = lines[0][1] if lines else []
    if "image" not in header:
        found = ", ".join(header) or "nothing"
        raise InvalidInput(f"{path}: needs a column `image`, comma-separated; its first line holds {found}")
    return header, lines[1:]


def _parse_once(
    row: Mapping[str, str], seen: dict[str, int], *, root: Path, dataset: str, line: int, origin: str
) -> ManifestItem:
    image = str(posix_path(row["image"]))
    if not row["image"]:
        return BrokenSource(origin, "the column image is empty")
    if image in seen:
        return BrokenSource(origin, f"{image} was already listed in line {seen[image]}")
    seen[image] = line
    try:
        return _parse(row, root=root, dataset=dataset, position=len(seen) - 1)
    except InvalidInput as error:
        return BrokenSource(origin, f"{image}: {error}")


def _parse(row: Mapping[str, str], *, root: Path, dataset: str, position: int) -> ManifestRow:
    image = posix_path(row["image"])
    number = _optional(row, "frame_number", whole)
    tags = {
        name: _tag(cell)
        for name, cell in row.items()
        if cell and name and name not in NOT_TAGS and not name.startswith(LABEL_DERIVED)
    }
    return ManifestRow(
        dataset=dataset,
        image=root / image,
        mask=root / posix_path(row["mask"]) if row.get("mask") else None,
        session_id=row.get("session_id") or session_of(image, dataset=dataset),
        frame_number=frame_number_of(image, position=position) if number is None else number,
        timestamp_s=_optional(row, "timestamp_s", finite),
        tags=tags,
        latitude=_optional(row, "latitude", latitude),
        longitude=_optional(row, "longitude", longitude),
    )


def _optional(row: Mapping[str, str], name: str, parse: Callable[[str], Number]) -> Number | None:
    cell = row.get(name)
    if not cell:
        return None
    try:
        return parse(cell)
    except ValueError as error:
        raise InvalidInput(f"{name} {cell!r}: must be {_MEANT.get(parse, 'a finite number')}") from error


def _tag(text: str) -> TagValue:
    try:
        return finite(text)
    except ValueError:
        return text


def _files_below(folder: Path, *, suffixes: tuple[str, ...]) -> dict[PurePosixPath, None]:
    def found() -> Iterator[PurePosixPath]:
        for path in folder.rglob("*"):
            if path.suffix.lower() in suffixes and path.is_file():
                yield PurePosixPath(path.relative_to(folder).as_posix())

    return dict.fromkeys(sorted(found()))
