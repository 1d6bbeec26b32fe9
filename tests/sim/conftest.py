"""Each file of these tests compiles programs that no other uses; kept, they would fill the machine."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(scope="module", autouse=True)
def programs_of_this_file() -> Iterator[None]:
    """Forget what was compiled when a file is done."""
    yield
    jax.clear_caches()
