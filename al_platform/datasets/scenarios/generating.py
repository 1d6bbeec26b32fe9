"""Generated scenes into the store: any number of a seed, the same ones every time."""

from dataclasses import dataclass
from pathlib import Path

from al_platform.catalog.connection import Catalog
from al_platform.datasets.scenarios.entering import EnteredScenarios, Entering, enter
from al_platform.datasets.scenarios.generated import GENERATED, origin_of
from al_platform.datasets.scenarios.store import layout_of
from al_platform.domain.ids import make_id
from al_platform.domain.progress import ReportProgress
from al_platform.errors import InvalidInput
from sim.scenario import Sizes

GENERATING = "generating-1"
"""Names how scenes are drawn; raised whenever the generator draws another scene for the same seed."""


@dataclass(frozen=True)
class GenerateRequest:
    """Scenes 0 to count - 1 of a seed, prepared at which sizes, into which folder, by how many processes."""

    count: int
    seed: int
    folder: Path
    sizes: Sizes
    processes: int = 1


def generate_scenarios(request: GenerateRequest, *, catalog: Catalog, report: ReportProgress) -> EnteredScenarios:
    """Make what is not there yet. Scene k of a seed is the same for every count.

    Raises: InvalidInput for a count below 1 or a negative seed; StorageUnavailable when the disk is full or
        read-only, and what was committed stays.
    """
    if request.count < 1:
        raise InvalidInput(f"count {request.count}: must be at least 1")
    if request.seed < 0:
        raise InvalidInput(f"seed {request.seed}: must not be negative")
    layout = layout_of(request.sizes)
    origins = [origin_of(request.seed, number) for number in range(request.count)]
    sources = [(make_id("src", GENERATED, GENERATING, layout, origin), origin) for origin in origins]
    how = Entering("generate", GENERATED, request.sizes, request.folder, request.processes)
    return enter(sources, how, catalog=catalog, report=report)
