"""The compute backends, by name."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from al_platform.compute.base import Compute, RunJob
from al_platform.compute.inline import InlineJobs
from al_platform.compute.local import LocalProcesses
from al_platform.compute.on_ray import RayJobs
from al_platform.domain.jobs import Cluster
from al_platform.errors import InvalidInput


@dataclass(frozen=True)
class Means:
    """What a backend is made of: a folder to keep jobs in, the work as a function, and as a program."""

    folder: Path
    run: RunJob
    program: Sequence[str]
    """Started with the folder of a job as its last argument."""
    cluster: Cluster | None = None
    """None where there is no Ray."""


BACKENDS: Mapping[str, Callable[[Means], Compute]] = {
    "inline": lambda means: InlineJobs(means.run),
    "local": lambda means: LocalProcesses(means.folder, means.program),
    "ray": lambda means: RayJobs(_cluster(means), means.program),
}
"""A backend is one entry; `tests/contracts/test_compute.py` tries each."""


def backend_named(name: str, means: Means) -> Compute:
    """Make a backend.

    Raises: InvalidInput for an unknown name.
    """
    if name not in BACKENDS:
        raise InvalidInput(f"compute backend {name!r}: known are {', '.join(BACKENDS)}")
    return BACKENDS[name](means)


def _cluster(means: Means) -> Cluster:
    if means.cluster is None:
        raise InvalidInput("compute backend 'ray': set ALP_RAY_ADDRESS to the address of its dashboard")
    return means.cluster
