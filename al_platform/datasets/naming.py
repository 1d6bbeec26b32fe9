"""Sessions and frame numbers of sources that only have file names."""

import re
from pathlib import PurePosixPath

from al_platform.datasets.parse import LARGEST_WHOLE


def posix_path(text: str) -> PurePosixPath:
    """Give a path of a file list, also one that was written with backslashes."""
    return PurePosixPath(text.strip().replace("\\", "/"))


def session_of(relative: PurePosixPath, *, dataset: str) -> str:
    """Give the sub-folder (folders called `images` aside), else the stem up to its last underscore.

    A file with neither belongs to the one session named like the dataset.
    """
    folders = [part for part in relative.parent.parts if part not in ("images", "/", "..", dataset)]
    if folders:
        return "/".join(folders)
    prefix, underscore, _ = relative.stem.rpartition("_")
    return prefix if underscore and prefix else dataset


def frame_number_of(relative: PurePosixPath, *, position: int) -> int:
    """Give the digits that end the stem, else the position of the file in its source."""
    digits = re.search(r"[0-9]+$", relative.stem)
    number = int(digits.group()) if digits else position
    return number if number <= LARGEST_WHOLE else position
