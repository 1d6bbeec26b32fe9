"""Texts of the command line to the values they mean."""

from al_platform.domain.rounds import CurriculumShare, StrategySpec
from al_platform.domain.scores import Share
from al_platform.errors import InvalidInput

_LIMITS = {
    "cap": "a whole number",
    "gap": "seconds",
    "distance": "a number",
    "quota": "TAG/N",
    "control": "a share",
    "guard": "a chance",
}


def names(text: str) -> tuple[str, ...]:
    """Give the names in a comma-separated list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def options(pairs: list[str]) -> dict[str, str]:
    """Give KEY=VALUE pairs as a mapping.

    Raises: InvalidInput for a pair without `=`.
    """
    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise InvalidInput(f"option {pair!r}: write KEY=VALUE")
        found[key.strip()] = value.strip()
    return found


def share(text: str) -> Share:
    """Give a share, written I/N.

    Raises: InvalidInput for a text that is none.
    """
    number, slash, of = text.partition("/")
    if not (slash and number.strip().isdecimal() and of.strip().isdecimal()):
        raise InvalidInput(f"share {text!r}: write I/N with I from 1 to N, for example 1/3")
    return Share(int(number), int(of))


def strategy(text: str) -> StrategySpec:
    """Give a strategy: its name, and after it the limits that are wanted, each once, as in `mi:cap=2:control=0.1`.

    `cap=N` frames a session, `gap=SECONDS`, `distance=D` of embeddings, `quota=TAG/N` frames a value of a tag,
    `control=SHARE` of the picks, `guard=CHANCE` of a bad recording from which a scenario is kept away.

    Raises: InvalidInput for a limit that does not parse.
    """
    name, *limits = text.split(":")
    values = options(limits)
    unknown = sorted(set(values) - set(_LIMITS))
    if unknown:
        raise InvalidInput(f"strategy {text!r}: unknown limit {', '.join(unknown)}; known are {', '.join(_LIMITS)}")
    if len(values) < len(limits):
        raise InvalidInput(f"strategy {text!r}: each limit may be given once")
    tag, _, quota = values.pop("quota", "").rpartition("/")
    try:
        cap = int(values["cap"]) if "cap" in values else None
        gap, distance, control = (float(values.get(limit, 0.0)) for limit in ("gap", "distance", "control"))
        guard = float(values["guard"]) if "guard" in values else None
        per_group = int(quota) if tag or quota else None
    except ValueError:
        raise InvalidInput(
            f"strategy {text!r}: {', '.join(f'{limit} takes {what}' for limit, what in _LIMITS.items())}"
        ) from None
    return StrategySpec(
        name=name.strip(),
        session_cap=cap,
        minimum_gap_s=gap,
        minimum_distance=distance,
        group_quota=per_group,
        group_tag=tag.strip(),
        control_share=control,
        guard=guard,
    )


def curriculum(texts: list[str]) -> tuple[CurriculumShare, ...]:
    """Give the shares that `SHARE:FILTER` texts name, as in `3:time_of_day=night` and, for every frame, `1:`.

    Raises: InvalidInput for a text without a share.
    """
    parts = []
    for text in texts:
        share, colon, filter_text = text.partition(":")
        try:
            parts.append(CurriculumShare(filter_text.strip() if colon else "", float(share)))
        except ValueError:
            raise InvalidInput(f"curriculum {text!r}: write SHARE:FILTER, for example 3:time_of_day=night") from None
    return tuple(parts)
