"""The drives of an evaluation as one Parquet blob, and back: a row for each, with its events, measures and poses."""

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from al_platform.domain.judging import EVENTS, SuiteScenario
from al_platform.errors import CorruptBlob
from al_platform.policies.driven import DrivenScenario
from al_platform.policies.wheel import Drive
from al_platform.storage.blobs import BlobStore

_MEDIA_TYPE = "application/vnd.apache.parquet"
_KEYS = ("scenario_id", "member", "variation", "overlaps", "poses")
_SECONDS = "_s"
"""Ends the names of columns with the second of an event; null where it did not happen."""
_POSE = 3


def write_drives(blobs: BlobStore, drives: Sequence[Drive]) -> str:
    """Store at least one drive and give the hash of the blob; equal drives in equal order have equal hashes."""
    driven = [drive.driven for drive in drives]
    columns: dict[str, Any] = {
        "scenario_id": [each.scenario.scenario_id for each in driven],
        "member": pa.array([each.member for each in driven], pa.int16()),
        "variation": pa.array([each.variation for each in driven], pa.int32()),
        "overlaps": [drive.overlaps for drive in drives],
    }
    for event in EVENTS:
        columns[event + _SECONDS] = pa.array([each.events.get(event) for each in driven], pa.float64())
    for name in driven[0].measures:
        columns[name] = pa.array(np.array([each.measures[name] for each in driven]))
    columns["poses"] = pa.array([drive.poses.ravel() for drive in drives], pa.list_(pa.float32()))
    stream = io.BytesIO()
    pq.write_table(pa.table(columns), stream, compression="zstd")
    return blobs.put(stream.getvalue(), media_type=_MEDIA_TYPE).hash


def read_drives(blobs: BlobStore, results_hash: str, scenarios: Sequence[SuiteScenario]) -> list[Drive]:
    """Give the drives of a blob through these scenarios, in its order.

    Raises: NotFound where the store lacks the blob; CorruptBlob where it holds something else, or drives through
        other scenarios.
    """
    known = {scenario.scenario_id: scenario for scenario in scenarios}
    try:
        table = pq.read_table(io.BytesIO(blobs.get(results_hash)))
        columns = {name: table[name].to_pylist() for name in table.column_names if name != "poses"}
        places = [known[scenario_id] for scenario_id in columns["scenario_id"]]
        poses = [np.asarray(row.values, np.float32).reshape(-1, _POSE) for row in table["poses"]]
        return [
            Drive(_driven(columns, row, scenario), poses[row], columns["overlaps"][row])
            for row, scenario in enumerate(places)
        ]
    except (pa.ArrowInvalid, KeyError, ValueError) as error:
        raise CorruptBlob(
            f"blob {results_hash}: holds no drives through this suite ({error}); evaluate again"
        ) from error


def _driven(columns: dict[str, list[Any]], row: int, scenario: SuiteScenario) -> DrivenScenario:
    seconds = {event: columns[event + _SECONDS][row] for event in EVENTS}
    measures = [name for name in columns if name not in _KEYS and not name.endswith(_SECONDS)]
    return DrivenScenario(
        scenario=scenario,
        events={event: second for event, second in seconds.items() if second is not None},
        measures={name: columns[name][row] for name in measures},
        member=columns["member"][row],
        variation=columns["variation"][row],
    )
