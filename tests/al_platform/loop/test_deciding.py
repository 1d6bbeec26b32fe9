"""What a loop does next, by a clock that the test holds."""

from datetime import datetime, timedelta

import pytest

from al_platform.domain.loops import Closing, LoopRound, LoopSpec, Trigger
from al_platform.domain.models import ModelSpec
from al_platform.domain.rounds import Budget, RoundSpec
from al_platform.loop.deciding import Begin, End, Known, Wait, decide, is_closed, look_again_s

FIRST = RoundSpec(ModelSpec(("person",), members=2), "dsv_1", "pool_1", ("person",), Budget(5))
NOON = datetime(2026, 11, 21, 12)
THREE, NEXT_THREE = datetime(2026, 11, 22, 3), datetime(2026, 11, 23, 3)
NIGHTLY = LoopSpec(FIRST, None, pool="split=pool", trigger=Trigger(cron="0 3 * * *"))
GROWING = LoopSpec(FIRST, None, pool="split=pool", trigger=Trigger(grown_by=10))
BOTH = LoopSpec(FIRST, None, pool="split=pool", trigger=Trigger("0 3 * * *", 10))
ONE = [LoopRound(1, "rnd_1", "2026-11-21 11:00:00", 60, "2026-11-21 11:30:00", appended=True, labels=5)]


def test_without_a_trigger_one_round_follows_the_other() -> None:
    assert decide(LoopSpec(FIRST, 2), Known(NOON, [], 60)) == Begin()
    assert decide(LoopSpec(FIRST, 2), Known(NOON, ONE, 60)) == Begin()
    assert decide(LoopSpec(FIRST, 1), Known(NOON, ONE, 60)) == End("all 1 rounds are done")


def test_a_scheduled_loop_waits_for_its_tick_and_begins_at_it() -> None:
    first = decide(NIGHTLY, Known(NOON, [], 60))
    assert first == Wait(15 * 3600.0, "waits for 2026-11-22 03:00 UTC", THREE)
    assert decide(NIGHTLY, Known(THREE - timedelta(minutes=1), [], 60, next_at=THREE)) == Wait(
        60.0, "waits for 2026-11-22 03:00 UTC", THREE
    )
    assert decide(NIGHTLY, Known(THREE, [], 60, next_at=THREE)) == Begin(NEXT_THREE)
    assert decide(NIGHTLY, Known(THREE + timedelta(minutes=4), ONE, 60, next_at=THREE)) == Begin(NEXT_THREE)


def test_a_missed_tick_is_passed_over_and_so_are_all_before_the_next() -> None:
    late = decide(NIGHTLY, Known(THREE + timedelta(minutes=6), ONE, 60, next_at=THREE))
    assert isinstance(late, Wait)
    assert late.next_at == NEXT_THREE
    weeks_later = decide(NIGHTLY, Known(THREE + timedelta(days=20, hours=1), ONE, 60, next_at=THREE))
    assert isinstance(weeks_later, Wait)
    assert weeks_later.next_at == THREE + timedelta(days=21)


def test_a_pool_must_have_grown_since_the_round_before_but_not_for_the_first() -> None:
    assert decide(GROWING, Known(NOON, [], 60)) == Begin()
    assert decide(GROWING, Known(NOON, ONE, 69)) == Wait(60.0, "1 more new frames are wanted in the pool")
    assert decide(GROWING, Known(NOON, ONE, 70)) == Begin()


def test_a_tick_at_which_the_pool_has_not_grown_is_passed_over() -> None:
    decision = decide(BOTH, Known(THREE, ONE, 65, next_at=THREE))
    assert isinstance(decision, Wait)
    assert decision.reason == "5 more new frames are wanted in the pool; waits for 2026-11-23 03:00 UTC"
    assert decision.next_at == NEXT_THREE
    assert decide(BOTH, Known(THREE, ONE, 70, next_at=THREE)) == Begin(NEXT_THREE)


def test_while_another_round_has_the_pool_and_a_class_none_begins() -> None:
    busy = decide(LoopSpec(FIRST, 2), Known(NOON, [], 60, busy="rnd_9"))
    assert busy == Wait(60.0, "round rnd_9 picks from this pool for one of these classes")
    at_its_tick = decide(NIGHTLY, Known(THREE, [], 60, next_at=THREE, busy="rnd_9"))
    assert isinstance(at_its_tick, Wait)
    assert at_its_tick.next_at == THREE  # asked again within the grace of the tick


@pytest.mark.parametrize(
    ("closing", "done", "labelled", "waited_s", "expected"),
    [
        (Closing(), 9, 9, 1e9, False),
        (Closing(), 10, 0, 0.0, True),
        (Closing(share=0.8), 7, 7, 1e9, False),
        (Closing(share=0.8), 8, 8, 0.0, True),
        (Closing(deadline_s=100.0), 1, 1, 99.0, False),
        (Closing(deadline_s=100.0), 1, 1, 100.0, True),
        (Closing(deadline_s=100.0), 3, 0, 1e9, False),  # nothing but rejections: no label to go on with
        (Closing(share=0.5, deadline_s=100.0), 5, 5, 0.0, True),
    ],
)
def test_a_round_is_closed_by_its_share_or_by_its_deadline_once_there_is_a_label(
    closing: Closing, done: int, labelled: int, waited_s: float, expected: bool
) -> None:
    assert is_closed(closing, done=done, labelled=labelled, tasks=10, waited_s=waited_s) is expected


@pytest.mark.parametrize(
    ("waited_s", "deadline_s", "expected"),
    [
        (0.0, None, 300.0),
        (1e6, None, 300.0),
        (0.0, 5.0, 5.0),
        (990.0, 1000.0, 10.0),
        (2000.0, 1000.0, 300.0),  # past its deadline it waits for the first label
    ],
)
def test_a_round_that_waits_rests_but_never_past_its_deadline(
    waited_s: float, deadline_s: float | None, expected: float
) -> None:
    assert look_again_s(300.0, waited_s=waited_s, deadline_s=deadline_s) == expected
