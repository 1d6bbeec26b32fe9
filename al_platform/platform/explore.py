"""The pool as people explore it: how it is distributed, and a map of what looks alike."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from al_platform.catalog import distributions
from al_platform.catalog.datasets import pool_table
from al_platform.catalog.distributions import Histogram, ValueCounts
from al_platform.catalog.frames import frames_by_id, frames_matching
from al_platform.catalog.rounds import all_rounds
from al_platform.domain.data import Frame
from al_platform.domain.rounds import Round
from al_platform.errors import InvalidInput
from al_platform.loop.embeddings import frame_embeddings
from al_platform.loop.models import image_table
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context

SAMPLE = 600
"""Frames on a map, at most: more would hide each other."""


@dataclass(frozen=True)
class Distribution:
    """Meta-labels and measures of the frames that a filter matches."""

    values: tuple[ValueCounts, ...]
    histograms: tuple[Histogram, ...]


@dataclass(frozen=True)
class MapPoint:
    """A frame and its place, both coordinates in [-1, 1]."""

    frame: Frame
    x: float
    y: float


@dataclass(frozen=True)
class EmbeddingMap:
    """Frames by what looks alike to the encoder of a round: their two main directions of variance."""

    round_id: str
    points: tuple[MapPoint, ...]
    matched: int
    """Frames of the round's pool that the filter matches; the map shows a sample of them."""
    explained: float
    """Share of the variance that the two directions keep, in [0, 1]."""


def distribution(platform: Platform, filter_text: str) -> Distribution:
    """Give how the frames that a filter matches are distributed. Raises: InvalidInput."""
    with platform.catalog.transaction() as tx:
        return Distribution(
            tuple(distributions.value_counts(tx, filter_text)),
            tuple(distributions.histogram(tx, filter_text, name) for name in distributions.MEASURES),
        )


def embedding_map(platform: Platform, filter_text: str, *, seed: int = 0, sample: int = SAMPLE) -> EmbeddingMap | None:
    """Give a map of frames that a filter matches, by the encoder of the newest round that trained; None without one.

    Only frames of that round's pool are shown: others have no embedding yet, and looking computes none.

    Raises: InvalidInput for a filter that does not parse.
    """
    with platform.catalog.transaction() as tx:
        matched = frames_matching(tx, filter_text)["item_id"].to_pylist()
        trained = [
            round_ for round_ in all_rounds(tx) if round_.ensemble_id and round_.score_id and not round_.of_scenarios
        ]
        if not trained:
            return None
        in_pool = set(pool_table(tx, platform.blobs, trained[-1].spec.pool_id)["item_id"].to_pylist())
    candidates = [frame_id for frame_id in matched if frame_id in in_pool]
    drawn = np.sort(np.random.default_rng(seed).permutation(len(candidates))[:sample])
    return _mapped(platform, trained[-1], [candidates[row] for row in drawn], matched=len(candidates))


def _mapped(platform: Platform, round_: Round, frame_ids: list[str], *, matched: int) -> EmbeddingMap:
    if len(frame_ids) < 3:
        return EmbeddingMap(round_.round_id, (), matched, 0.0)
    with platform.catalog.transaction() as tx:
        images = image_table(tx, frame_ids)
    embedded = frame_embeddings(loop_context(platform), round_, images)
    readable = [row for row, frame_id in enumerate(frame_ids) if frame_id not in embedded.unreadable]
    places, explained = main_directions(embedded.pool[readable])
    with platform.catalog.transaction() as tx:
        frames = frames_by_id(tx, [frame_ids[row] for row in readable])
    points = tuple(MapPoint(frame, float(x), float(y)) for frame, (x, y) in zip(frames.values(), places, strict=True))
    return EmbeddingMap(round_.round_id, points, matched, explained)


def main_directions(vectors_ND: Float[NDArray[Any], "N D"]) -> tuple[Float[NDArray[np.float64], "N 2"], float]:
    """Give places along the two directions of largest variance, and the share of variance that they keep.

    Places fill [-1, 1] along both. The sign of a direction is that of its largest weight, so that the same vectors
    give the same map.

    Source: Pearson 1901 (principal components), by singular values.

    Raises: InvalidInput for fewer than two dimensions.
    """
    if vectors_ND.shape[1] < 2:
        raise InvalidInput(f"embeddings of {vectors_ND.shape[1]} number: a map needs at least 2")
    centred_ND = vectors_ND.astype(np.float64) - vectors_ND.mean(axis=0, dtype=np.float64)
    _, singular_D, directions_DD = np.linalg.svd(centred_ND, full_matrices=False)
    main_2D = directions_DD[:2]
    signs = np.sign(main_2D[np.arange(len(main_2D)), np.abs(main_2D).argmax(axis=1)])
    places_N2 = centred_ND @ (main_2D * signs[:, None]).T
    whole = float((singular_D**2).sum())
    low, high = places_N2.min(axis=0), places_N2.max(axis=0)
    share = float((singular_D[:2] ** 2).sum()) / whole if whole > 0 else 0.0
    return 2 * (places_N2 - low) / np.where(high > low, high - low, 1.0) - 1, share
