"""What people look at before they trust a round: what its labels showed, and which of its picks are nearly the same."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from al_platform.catalog.answers import answers_of_round
from al_platform.catalog.rounds import round_named
from al_platform.catalog.tasks import selections_of
from al_platform.experiments.contents import LabelledContents, contents_of
from al_platform.labeling.annotators import label_seconds
from al_platform.loop.embeddings import frame_embeddings
from al_platform.loop.kinds import FRAME_ITEMS, kind_of
from al_platform.loop.models import image_table
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context

_COMPARED = 2_000
"""Picks that are compared with each other, at most; fewer than three have no mean to be compared about."""

NEARLY_THE_SAME = 0.8
"""Cosine of two embeddings, about their mean over the round's picks, from which two frames count as duplicates.

Of 40 picks of the virtual fleet, frames of one drive reached 0.90 and frames of different drives 0.74.
"""


@dataclass(frozen=True)
class RoundYield:
    """What the labels that a round appended showed, and the working time of people behind them."""

    contents: LabelledContents
    seconds: float
    """0 where the labelling tool tells no times."""


@dataclass(frozen=True)
class Twin:
    """Another pick of the same round that looks nearly the same, and the cosine of the two."""

    frame_id: str
    cosine: float


def round_yield(platform: Platform, round_id: str) -> RoundYield | None:
    """Give what the labels of a round showed; None before it has appended any.

    Raises: NotFound for an unknown round.
    """
    with platform.catalog.transaction() as tx:
        round_ = round_named(tx, round_id)
        answers = answers_of_round(tx, round_id)
    if round_.dataset_version_id is None or kind_of(round_.spec.model) is not FRAME_ITEMS:
        return None
    spec = round_.spec
    contents = contents_of(
        loop_context(platform),
        spec.frame_model,
        round_.dataset_version_id,
        targets=spec.targets,
        beyond=spec.dataset_version_id,
    )
    return RoundYield(contents, label_seconds(answers))


@dataclass(frozen=True)
class Picks:
    """What a round picked, as a whole: how many for each class and of each session, the most first."""

    classes: tuple[tuple[str, int], ...] = ()
    sessions: Mapping[str, int] = field(default_factory=dict)


def picks_of(platform: Platform, round_id: str) -> Picks:
    """Give what is to be said of a round's picks together.

    Raises: NotFound for an unknown round.
    """
    with platform.catalog.transaction() as tx:
        kind = kind_of(round_named(tx, round_id).spec.model)
        picks = selections_of(tx, round_id)
        sessions = kind.sessions_of(tx, [pick.item_id for pick in picks])
    return Picks(
        tuple(Counter(pick.for_class for pick in picks).most_common()),
        Counter(sessions.values()),
    )


def near_duplicates(platform: Platform, round_id: str) -> dict[str, list[Twin]]:
    """Give the picks of a round that have twins among its picks, each with its twins, the nearest first.

    Scenarios have no vectors to compare, so none of them has a twin.

    Raises: NotFound for an unknown round.
    """
    with platform.catalog.transaction() as tx:
        round_ = round_named(tx, round_id)
        if kind_of(round_.spec.model) is not FRAME_ITEMS:
            return {}
        frame_ids = list(dict.fromkeys(pick.item_id for pick in selections_of(tx, round_id)))
        images = image_table(tx, frame_ids)
    if round_.ensemble_id is None or not 3 <= len(frame_ids) <= _COMPARED:
        return {}
    return twins_of(frame_ids, frame_embeddings(loop_context(platform), round_, images).pool)


def twins_of(frame_ids: Sequence[str], vectors_ND: Float[NDArray[Any], "N D"]) -> dict[str, list[Twin]]:
    """Give the frames whose vectors, [N, D], have a cosine of at least NEARLY_THE_SAME about their common mean."""
    centred = vectors_ND.astype(np.float64) - vectors_ND.mean(axis=0, dtype=np.float64)
    lengths_N = np.sqrt((centred * centred).sum(axis=1, keepdims=True))
    units = centred / np.where(lengths_N > 0, lengths_N, 1.0)
    cosines_NN = units @ units.T
    np.fill_diagonal(cosines_NN, -1.0)
    found = {}
    for row, frame_id in enumerate(frame_ids):
        order = np.argsort(-cosines_NN[row], kind="stable")
        near = [other for other in order if cosines_NN[row, other] >= NEARLY_THE_SAME]
        if near:
            found[frame_id] = [Twin(frame_ids[other], float(cosines_NN[row, other])) for other in near]
    return found
