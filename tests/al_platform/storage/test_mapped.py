"""Claims about arrays that come in parts and lie on the disk."""

from pathlib import Path

import numpy as np
import pytest

from al_platform.errors import StorageUnavailable
from al_platform.storage.mapped import mapped_rows

FLOAT = np.dtype(np.float32)


@pytest.mark.parametrize("part", [1, 7, 100])
def test_parts_become_one_array_that_has_no_name_on_the_disk(tmp_path: Path, part: int) -> None:
    rows = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    parts = (rows[start : start + part] for start in range(0, 50, part))
    mapped = mapped_rows(parts, tmp_path / "mapped", row_shape=(3,), dtype=FLOAT)
    assert isinstance(mapped, np.memmap)
    assert mapped.dtype == FLOAT
    np.testing.assert_array_equal(mapped, rows)
    np.testing.assert_array_equal(mapped[[7, 3]], rows[[7, 3]])
    assert list((tmp_path / "mapped").iterdir()) == []


def test_nobody_writes_to_a_mapped_array(tmp_path: Path) -> None:
    mapped = mapped_rows([np.zeros((2, 2), np.float32)], tmp_path, row_shape=(2,), dtype=FLOAT)
    with pytest.raises(ValueError, match="read-only"):
        mapped[0, 0] = 1.0


def test_no_rows_are_an_empty_array(tmp_path: Path) -> None:
    assert mapped_rows([], tmp_path, row_shape=(3,), dtype=FLOAT).shape == (0, 3)


def test_a_folder_that_cannot_be_written_is_named_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(StorageUnavailable, match=r"taken: .*free space or make it writable"):
        mapped_rows([], tmp_path / "taken", row_shape=(3,), dtype=FLOAT)
