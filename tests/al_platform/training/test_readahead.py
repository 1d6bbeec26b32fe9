"""Batches read ahead: in order, resumable by their step, errors where the batch would have come."""

import threading

import pytest

from al_platform.errors import InvalidInput
from al_platform.training.readahead import ReadAhead


def test_batches_come_in_the_order_of_their_steps_whichever_is_read_first() -> None:
    release = threading.Event()

    def read(step: int) -> int:
        if step == 3:
            release.wait(10.0)
        if step == 5:
            release.set()
        return step * step

    batches = ReadAhead(read, first_step=3, ahead=4, threads=4)
    assert [next(batches) for _ in range(5)] == [9, 16, 25, 36, 49]
    assert release.is_set()
    batches.close()


def test_a_reader_that_starts_where_another_stopped_goes_on_as_it_would_have() -> None:
    whole = ReadAhead(str, first_step=0, ahead=8)
    assert [next(whole) for _ in range(7)] == list("0123456")
    assert whole.next_step == 7
    again = ReadAhead(str, first_step=whole.next_step, ahead=2)
    assert [next(again) for _ in range(3)] == [next(whole) for _ in range(3)]
    whole.close()
    again.close()


def test_batches_are_read_before_they_are_asked_for() -> None:
    read_ahead = threading.Event()

    def read(step: int) -> int:
        if step == 4:
            read_ahead.set()
        return step

    batches = ReadAhead(read, first_step=0, ahead=4)
    assert next(batches) == 0
    assert read_ahead.wait(10.0)
    batches.close()


def test_what_reading_raises_comes_out_where_its_batch_would_have() -> None:
    def read(step: int) -> int:
        if step == 2:
            raise InvalidInput("frame frm_x: cannot be read")
        return step

    batches = ReadAhead(read, first_step=0, ahead=4)
    assert [next(batches), next(batches)] == [0, 1]
    with pytest.raises(InvalidInput, match="frm_x"):
        next(batches)
    batches.close()


def test_the_share_of_waiting_is_all_where_nothing_else_is_done_and_none_where_nothing_is_asked_for() -> None:
    gate = threading.Event()
    opener = threading.Timer(0.3, gate.set)
    batches = ReadAhead(lambda step: gate.wait(10.0), first_step=0, ahead=1)
    assert batches.waited_share == 0.0
    opener.start()
    next(batches)
    assert 0.5 < batches.waited_share <= 1.0
    batches.close()
    opener.join()
