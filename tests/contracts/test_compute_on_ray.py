"""The contract of the compute backends, kept by a real Ray cluster."""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.contracts.ray_cluster import APART

pytestmark = [pytest.mark.ray, pytest.mark.long]
SUITE = Path(__file__).with_name("test_compute.py")
EVERY_CLAIM = "ALP_TEST_RAY_FULLY"
"""Set, it lets the whole suite run: some twenty jobs, of which Ray starts each in seconds."""

CLAIMS = "not_begun_a_second_time or comes_back_as_what_it_was or told_to_stop"


def apart() -> tuple[str, ...]:
    """What starts a command with a network of its own; skipped, with the reason, where that is not allowed."""
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed: the extra `ray`, as `make dev-env` installs it")
    try:
        tried = subprocess.run([*APART, "ip", "link", "set", "lo", "up"], capture_output=True, text=True, check=False)
    except FileNotFoundError as missing:
        pytest.skip(f"no {missing.filename}: Ray would listen on every address of this machine")
    if tried.returncode:
        pytest.skip(f"no network of its own for Ray, which listens on every address: {tried.stderr.strip()}")
    return APART


def test_jobs_on_a_cluster_are_told_apart_by_key_heard_of_stopped_and_gone_on_with() -> None:
    chosen = [] if os.environ.get(EVERY_CLAIM) else ["-k", CLAIMS]
    suite = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-q", str(SUITE), *chosen]
    with tempfile.TemporaryDirectory(prefix="ray-") as folder:  # a short path: the names of sockets are limited
        ran = subprocess.run(
            [*apart(), sys.executable, "-m", "tests.contracts.ray_cluster", folder, *suite],
            capture_output=True,
            text=True,
            check=False,
        )
        log = (Path(folder) / "cluster.log").read_text()
    assert ran.returncode == 0, "\n".join((ran.stdout, ran.stderr, log))
    sys.stdout.write(ran.stdout)
