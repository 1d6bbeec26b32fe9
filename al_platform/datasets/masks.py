"""Adapter `masks`: a folder of images and segmentation masks, listed by a CSV or by file names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from al_platform.datasets.base import AdapterRequest, DatasetAdapter, SourceFrame, SourceLabel
from al_platform.datasets.images import decode_mask, image_size
from al_platform.datasets.manifest import ManifestItem, ManifestRow, read_manifest, scan_folder
from al_platform.datasets.mask_tables import EXAMPLE, KNOWN_TABLES, MASK_VALUES, MaskTable, read_mask_table
from al_platform.datasets.options import existing_path, refuse_unknown_options
from al_platform.domain.ingest import BrokenSource
from al_platform.errors import InvalidInput

OPTIONS = ("dataset", "manifest")


@dataclass(frozen=True)
class MaskFolder:
    """Images and masks of a folder, in the order of the CSV or of the file names; read one by one."""

    items: tuple[ManifestItem, ...]
    tables: Mapping[str, MaskTable]
    """Dataset to the meaning of its mask values."""

    def count(self) -> int:
        """Give the number of rows, broken ones included."""
        return len(self.items)

    def read(self) -> Iterator[SourceFrame | BrokenSource]:
        """Yield every row as a frame, or name the file that cannot be used."""
        for item in self.items:
            yield item if isinstance(item, BrokenSource) else _read_row(item, self.tables.get(item.dataset))


def masks_adapter(request: AdapterRequest) -> DatasetAdapter:
    """Open a folder (or its CSV) of images and masks. `manifest.read_manifest` says what the CSV may hold.

    Options: `dataset` keeps one dataset of the CSV (default: all; without a column `dataset` it names the
    rows, default: the folder's name); `manifest` is the CSV's name where the folder holds several.
    Mask values mean what `classes.json` beside the CSV says, else what the table of a known dataset says.
    Columns that begin with `frac_` never become tags, because they are computed from labels.
    Raises: InvalidInput where the path, the column `image` or the meaning of the masks is missing.
    """
    refuse_unknown_options(request, adapter="masks", accepted=OPTIONS)
    path = existing_path(request, adapter="masks")
    dataset = request.options.get("dataset")
    manifest = _manifest_in(path, request.options.get("manifest"))
    root = manifest.parent if manifest else path
    items = (
        read_manifest(manifest, dataset=dataset)
        if manifest
        else scan_folder(root, dataset=dataset or root.resolve().name)
    )
    masked = {item.dataset for item in items if isinstance(item, ManifestRow) and item.mask is not None}
    return MaskFolder(items, _tables_of(masked, root=root))


def _manifest_in(path: Path, name: str | None) -> Path | None:
    if path.is_file():
        return path
    if name is not None:
        if not (path / name).is_file():
            raise InvalidInput(f"manifest {name}: no such file in {path}")
        return path / name
    candidates = sorted(path.glob("*.csv"))
    if len(candidates) > 1 and path / "manifest.csv" not in candidates:
        names = ", ".join(candidate.name for candidate in candidates)
        raise InvalidInput(f"{path}: holds {names}; choose one with --option manifest=NAME")
    if path / "manifest.csv" in candidates:
        return path / "manifest.csv"
    return candidates[0] if candidates else None


def _tables_of(datasets: set[str], *, root: Path) -> Mapping[str, MaskTable]:
    described = root / "classes.json"
    if described.is_file():
        return dict.fromkeys(datasets, read_mask_table(described))
    for dataset in sorted(datasets - KNOWN_TABLES.keys()):
        raise InvalidInput(f"masks of {dataset}: write what their values mean to {described}: {EXAMPLE}")
    return KNOWN_TABLES


def _read_row(row: ManifestRow, table: MaskTable | None) -> SourceFrame | BrokenSource:
    at = row.image
    try:
        image = row.image.read_bytes()
        size = image_size(image)
        at = row.mask or row.image
        label = _read_label(row.mask, table, size=size) if row.mask and table else None
    except OSError as error:
        return BrokenSource(str(at), f"cannot be read: {error.strerror or error}")
    except InvalidInput as error:
        return BrokenSource(str(at), str(error))
    return SourceFrame(
        dataset=row.dataset,
        session_id=row.session_id,
        frame_number=row.frame_number,
        image=image,
        timestamp_s=row.timestamp_s,
        tags=row.tags,
        latitude=row.latitude,
        longitude=row.longitude,
        label=label,
        origin=str(row.image),
    )


def _read_label(path: Path, table: MaskTable, *, size: tuple[int, int]) -> SourceLabel:
    mask = path.read_bytes()
    mask_HW = decode_mask(mask)
    height, width = mask_HW.shape
    if (width, height) != size:
        raise InvalidInput(f"mask of {width} x {height} pixels for an image of {size[0]} x {size[1]}")
    found = np.flatnonzero(np.bincount(mask_HW.ravel(), minlength=MASK_VALUES)).tolist()
    strangers = [value for value in found if value not in table.known_values()]
    if strangers:
        named = ", ".join(str(value) for value in sorted(table.known_values()))
        raise InvalidInput(f"mask value {', '.join(map(str, strangers))}: the known values are {named}")
    return SourceLabel(table.classes, mask, table.values, table.ignore)
