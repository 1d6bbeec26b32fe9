"""What is in flight is bounded, whatever the pool."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from acquisition import FrameMeasures
from al_platform.models.base import Encoder
from al_platform.models.records import ContentRecords, ItemReader
from al_platform.scoring.ahead import ahead
from al_platform.scoring.measures import MEASURES
from al_platform.scoring.pipeline import IN_FLIGHT, measured_batches, open_pipeline
from al_platform.scoring.stages import STAGES, StageClock
from al_platform.storage.records import RecordCaches

BATCH = 4


class Counted:
    """Counts the items that were read and not yet scored."""

    def __init__(self) -> None:
        self.now, self.most, self._lock = 0, 0, Lock()

    def read(self, name: str) -> bytes:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        return name.encode()


@pytest.mark.parametrize("items", [BATCH * IN_FLIGHT * 2, BATCH * IN_FLIGHT * 8])
def test_the_records_in_flight_do_not_grow_with_the_pool(tmp_path: Path, items: int) -> None:
    counted, seen = Counted(), 0
    encoder = Encoder("length", (1,), np.dtype(np.float32), lambda batch: batch.astype(np.float32))
    reader = ItemReader(counted.read, lambda content: np.array([int(content)]))
    records = ContentRecords(encoder, reader, RecordCaches(tmp_path))
    with open_pipeline(records, measures_of, batch=BATCH) as pipeline:
        for batch in measured_batches(pipeline, [str(number) for number in range(items)]):
            np.testing.assert_array_equal(batch.measures.mi_mean[:, 0], batch.places)
            counted.now -= batch.count
            seen += batch.count
    assert seen == items
    assert BATCH < counted.most <= BATCH * IN_FLIGHT


def measures_of(inputs: NDArray[Any]) -> FrameMeasures:
    return FrameMeasures(**dict.fromkeys(MEASURES, inputs))


def test_results_come_in_order_and_are_begun_only_so_far_ahead() -> None:
    asked: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(20):
            asked.append(number)
            yield number

    with ThreadPoolExecutor(4) as executor:
        for number, square in enumerate(ahead(lambda value: value * value, numbers(), executor=executor, depth=3)):
            assert square == number * number
            assert len(asked) <= number + 4


def test_what_a_function_raises_comes_out_at_its_place() -> None:
    with ThreadPoolExecutor(2) as executor:
        results = ahead(lambda value: 1 // value, [1, 1, 0, 1], executor=executor, depth=2)
        assert [next(results), next(results)] == [1, 1]
        with pytest.raises(ZeroDivisionError):
            next(results)


def test_the_limit_is_the_stage_whose_threads_are_busiest() -> None:
    clock = StageClock({"read": 100})
    with clock.busy("read"), clock.busy("write"):
        sum(range(1000))
    assert clock.limit() == "write"
    assert set(clock.seconds()) == set(STAGES)
