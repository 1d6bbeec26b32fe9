"""Cron: ticks in order, missed ones passed over, schedules that cannot be refused."""

from datetime import datetime, timedelta

import pytest

from al_platform.errors import InvalidInput
from al_platform.loop.schedule import GRACE, is_missed, next_tick, require_cron

NOON = datetime(2026, 11, 21, 12)


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("0 3 * * *", datetime(2026, 11, 22, 3)),
        ("*/5 * * * *", datetime(2026, 11, 21, 12, 5)),
        ("0 12 * * *", datetime(2026, 11, 22, 12)),  # strictly after: the tick that is answered is not given again
        ("30 6 * * 1", datetime(2026, 11, 23, 6, 30)),
        ("0 0 29 2 *", datetime(2028, 2, 29)),
    ],
)
def test_the_next_tick_is_the_first_after_a_moment(cron: str, expected: datetime) -> None:
    require_cron(cron)
    assert next_tick(cron, NOON) == expected


def test_a_tick_is_missed_once_its_grace_is_over() -> None:
    assert not is_missed(NOON, now=NOON - timedelta(days=1))
    assert not is_missed(NOON, now=NOON + GRACE)
    assert is_missed(NOON, now=NOON + GRACE + timedelta(seconds=1))


@pytest.mark.parametrize("cron", ["", "every day", "0 3 * *", "61 3 * * *", "0 0 3 * * *", "0 3 * * 9"])
def test_a_schedule_that_cannot_be_says_what_one_looks_like(cron: str) -> None:
    with pytest.raises(InvalidInput, match="must be five fields"):
        require_cron(cron)
