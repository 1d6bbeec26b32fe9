"""More like this frame."""

from collections.abc import Sequence

from al_platform.catalog.rounds import all_rounds, round_named
from al_platform.errors import InvalidInput
from al_platform.loop.similar import SimilarFrame, similar_frames
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context


def find_similar(
    platform: Platform,
    examples: Sequence[str],
    *,
    unlike: Sequence[str] = (),
    filter_text: str = "",
    count: int = 20,
    round_id: str = "",
) -> list[SimilarFrame]:
    """Give the frames most like the examples and least like `unlike`, by the encoder of a round; default: the newest.

    Raises: InvalidInput where no round has trained yet, and as `similar_frames` does; NotFound for an unknown round
        or frame.
    """
    with platform.catalog.transaction() as tx:
        rounds = [round_named(tx, round_id)] if round_id else all_rounds(tx)
    trained = [round_ for round_ in rounds if round_.ensemble_id is not None]
    if not trained:
        raise InvalidInput("similar: no trained encoder yet; run `alp round run` first")
    return similar_frames(
        loop_context(platform), trained[-1], examples, unlike=unlike, filter_text=filter_text, count=count
    )
