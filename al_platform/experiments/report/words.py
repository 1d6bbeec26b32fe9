"""Numbers and lists as the report writes them."""

from collections.abc import Sequence

NOTHING = "–"


def precision(value: float | None) -> str:
    """An average precision or another share: three decimals."""
    return NOTHING if value is None else f"{value:.3f}"


def signed(value: float | None) -> str:
    """A difference of average precisions, with its sign."""
    return NOTHING if value is None else f"{value:+.3f}".replace("-", "−")


def plus_minus(mean: float | None, half_width: float | None) -> str:
    """A difference with its interval; without one, the difference alone."""
    return signed(mean) if half_width is None else f"{signed(mean)} ± {half_width:.3f}"


def times(value: float | None, bound: str = "", *, digits: int | None = None) -> str:
    """A ratio: two decimals below 2, where they decide, one above."""
    if value is None:
        return NOTHING
    places = digits if digits is not None else _digits(value)
    return {"<=": "≤ ", ">=": "≥ "}.get(bound, "") + f"{value:.{places}f}"


def times_within(
    value: float | None,
    low: float | None,
    high: float | None,
    bounds: tuple[str, str, str] = ("", "", ""),
) -> str:
    """A ratio with its limits, all with as many decimals as the smallest needs."""
    known = [number for number in (value, low, high) if number is not None]
    digits = _digits(min(known, default=0.0))
    texts = [times(number, bound, digits=digits) for number, bound in zip((value, low, high), bounds, strict=True)]
    return texts[0] if NOTHING in texts else f"{texts[0]} [{texts[1]}, {texts[2]}]"


def _digits(value: float) -> int:
    return 2 if round(value, 2) < 2 else 1


def amount(value: float | None) -> str:
    """A count or its mean: whole from 100 up, one decimal below where it has one."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if value >= 100 or value == round(value) else f"{value:,.1f}"


def listing(names: Sequence[str]) -> str:
    """Names in a sentence: a, b and c."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def percent(value: float | None) -> str:
    """A share in [0, 1] as percent."""
    return NOTHING if value is None else f"{100 * value:.0f} %"
