"""Cron: when a loop looks whether its next round may begin."""

from datetime import datetime, timedelta

from croniter import croniter

from al_platform.errors import InvalidInput

GRACE = timedelta(minutes=5)
"""How late a tick may be answered. One that nobody was there for in time is passed over."""

_FIELDS = 5


def require_cron(cron: str) -> None:
    """Check a schedule.

    Raises: InvalidInput for a text that is no five fields of cron, or a day that never comes.
    """
    if len(cron.split()) != _FIELDS or not croniter.is_valid(cron):
        raise InvalidInput(
            f"cron {cron!r}: must be five fields, minute hour day month weekday, for example '0 3 * * *' for 03:00 UTC"
        )


def next_tick(cron: str, after: datetime) -> datetime:
    """Give the first moment after another, UTC, that a schedule names."""
    moment: datetime = croniter(cron, after).get_next(datetime)
    return moment


def is_missed(tick: datetime, *, now: datetime) -> bool:
    """Say whether it is too late to answer a tick."""
    return now > tick + GRACE
