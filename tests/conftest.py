"""Shared by all tests: where the real recordings lie, and keys that are always the same."""

import os
from pathlib import Path

import pytest

REAL_DATA = Path(os.environ.get("ALP_REAL_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real recordings; the test is skipped, with the reason, where it is missing."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"real recordings not found at {REAL_DATA}: set ALP_REAL_DATA to their folder")
    return REAL_DATA
