"""The scenarios of a suite as a blob."""

from collections.abc import Sequence

from pydantic import ValidationError

from al_platform.domain.hashing import canonical_json
from al_platform.domain.judging import SuiteScenario
from al_platform.domain.records import record_from_json
from al_platform.errors import CorruptBlob
from al_platform.storage.blobs import BlobStore

_JSON = "application/json"


def write_scenarios(blobs: BlobStore, scenarios: Sequence[SuiteScenario]) -> str:
    """Store a list of scenarios, and give the hash of its blob."""
    return blobs.put(canonical_json(list(scenarios)).encode(), media_type=_JSON).hash


def read_scenarios(blobs: BlobStore, scenarios_hash: str) -> tuple[SuiteScenario, ...]:
    """Give the scenarios of a blob, in their order.

    Raises: NotFound where the store lacks it, CorruptBlob where it holds something else.
    """
    try:
        return record_from_json(tuple[SuiteScenario, ...], blobs.get(scenarios_hash).decode())
    except (ValidationError, UnicodeDecodeError) as error:
        raise CorruptBlob(f"blob {scenarios_hash}: lists no scenarios; delete it, then make the suite again") from error
