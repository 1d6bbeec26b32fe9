"""A bucket lets its burst through at once, then its rate, and no more in any stretch of time."""

from hypothesis import given
from hypothesis import strategies as st

from api.limits import TokenBuckets


@given(
    gaps=st.lists(st.floats(0.0, 3.0), min_size=1, max_size=60),
    per_second=st.floats(0.1, 20.0),
    burst=st.integers(1, 10),
)
def test_no_stretch_of_time_lets_more_through_than_its_burst_and_rate(
    gaps: list[float], per_second: float, burst: int
) -> None:
    now = [0.0]
    buckets = TokenBuckets(per_second=per_second, burst=burst, clock=lambda: now[0])
    admitted = []
    for gap in gaps:
        now[0] += gap
        if buckets.take("ada") == 0.0:
            admitted.append(now[0])
    for first in range(len(admitted)):
        for last in range(first, len(admitted)):
            assert last - first + 1 <= burst + (admitted[last] - admitted[first]) * per_second + 1e-6


@given(per_second=st.floats(0.1, 20.0), burst=st.integers(1, 10))
def test_whoever_waits_as_long_as_told_is_admitted(per_second: float, burst: int) -> None:
    now = [0.0]
    buckets = TokenBuckets(per_second=per_second, burst=burst, clock=lambda: now[0])
    assert [buckets.take("ada") for _ in range(burst)] == [0.0] * burst
    now[0] += buckets.take("ada")
    assert buckets.take("ada") == 0.0


def test_one_caller_takes_nothing_from_another() -> None:
    buckets = TokenBuckets(per_second=1.0, burst=1, clock=lambda: 0.0)
    assert buckets.take("ada") == 0.0
    assert buckets.take("ada") == 1.0
    assert buckets.take("ben") == 0.0
