"""How what is known of frames is distributed among those that a filter matches."""

from dataclasses import dataclass

from al_platform.catalog.connection import Transaction
from al_platform.catalog.filters import parse_filter
from al_platform.catalog.tables import rows_of
from al_platform.errors import InvalidInput

MEASURES = ("brightness", "sharpness")
SHOWN_VALUES = 12
BINS = 24


@dataclass(frozen=True)
class ValueCounts:
    """A tag, how many of the frames carry it, and its most frequent values with their counts."""

    name: str
    frames: int
    values: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Histogram:
    """A measure in bins of equal width from `low` to `high`; no bins where it has fewer than two values."""

    name: str
    low: float
    high: float
    counts: tuple[int, ...]


def value_counts(tx: Transaction, filter_text: str) -> list[ValueCounts]:
    """Give dataset and every tag of the frames that a filter matches, by name.

    Raises: InvalidInput for a filter that does not parse.
    """
    where = parse_filter(tx, filter_text)
    rows = rows_of(
        tx,
        f"WITH chosen AS (SELECT dataset, tag_set, own_tags FROM frames WHERE {where.sql}), "
        "sets AS (SELECT tag_set, count(*) AS frames FROM chosen GROUP BY tag_set), "
        "shown AS (SELECT key, value->>'$' AS value, frames FROM sets JOIN tag_sets USING (tag_set), json_each(tags) "
        "UNION ALL SELECT key, value->>'$', 1 FROM chosen, json_each(own_tags) WHERE own_tags IS NOT NULL "
        "UNION ALL SELECT 'dataset', dataset, count(*) FROM chosen GROUP BY dataset), "
        "counted AS (SELECT key AS name, value, sum(frames)::BIGINT AS frames FROM shown GROUP BY ALL) "
        "SELECT name, sum(frames)::BIGINT AS frames, "
        f"list(value ORDER BY frames DESC, value)[:{SHOWN_VALUES}] AS found, "
        f"list(frames ORDER BY frames DESC, value)[:{SHOWN_VALUES}] AS counts "
        "FROM counted GROUP BY name ORDER BY name",
        list(where.values),
    )
    return [
        ValueCounts(row["name"], row["frames"], tuple(zip(row["found"], row["counts"], strict=True))) for row in rows
    ]


def histogram(tx: Transaction, filter_text: str, measure: str) -> Histogram:
    """Give one of MEASURES over the frames that a filter matches.

    Raises: InvalidInput for a measure that is none of them, or a filter that does not parse.
    """
    if measure not in MEASURES:
        raise InvalidInput(f"measure {measure!r}: known are {', '.join(MEASURES)}")
    where = parse_filter(tx, filter_text)
    rows = tx.execute(
        f"WITH chosen AS (SELECT {measure}::DOUBLE AS value FROM frames "
        f"WHERE ({where.sql}) AND {measure} IS NOT NULL AND isfinite({measure})), "
        "ends AS (SELECT min(value) AS low, max(value) AS high FROM chosen) "
        f"SELECT low, high, least({BINS - 1}, floor({BINS} * (value - low) / (high - low)))::INTEGER AS bin, count(*) "
        "FROM chosen, ends WHERE high > low GROUP BY ALL",
        list(where.values),
    ).fetchall()
    counts = [0] * BINS
    for _, _, index, count in rows:
        counts[index] = count
    low, high = rows[0][:2] if rows else (0.0, 0.0)
    return Histogram(measure, low, high, tuple(counts) if rows else ())
