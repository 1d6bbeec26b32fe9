"""The time, as the catalog writes it."""

import datetime


def utc_now() -> str:
    """Give the time in UTC, `2026-01-31 12:00:00.000000`."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
