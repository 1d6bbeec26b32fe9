"""How often training draws each labelled item: the shares of a curriculum, resolved by the catalog."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.catalog.connection import Transaction
from al_platform.catalog.datasets import items_added
from al_platform.domain.rounds import NEW, CurriculumShare
from al_platform.errors import InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.training.sampling import mixed_weights

Among = Callable[[Transaction, str, Sequence[str]], set[str]]
"""Gives those of these items that a filter matches, such as `frames_matching_among`."""


def curriculum_weights(
    context: LoopContext,
    curriculum: Sequence[CurriculumShare],
    item_ids: Sequence[str],
    *,
    version_id: str,
    among: Among,
) -> NDArray[Any] | None:
    """Give the weight of each of these items of a dataset version, float64 [N]; None without a curriculum: all alike.

    Items, their tags and versions never change, so the same curriculum gives the same weights for ever. A share of
    what is new counts only where the round added something.

    Raises: InvalidInput for a filter that does not parse, that has a share and matches none of the items, or where
        nothing is left to draw.
    """
    if not curriculum:
        return None
    groups, shares, given = [], [], set(item_ids)
    with context.catalog.transaction() as tx:
        for part in curriculum:
            new = part.filter == NEW
            matching = items_added(tx, context.blobs, version_id) & given if new else among(tx, part.filter, item_ids)
            if part.share > 0.0 and not matching and not new:
                raise InvalidInput(
                    f"curriculum {part.filter!r}: matches none of the {len(item_ids)} items of {version_id}; "
                    "widen it, or leave it out until some are labelled"
                )
            groups.append(np.flatnonzero([item_id in matching for item_id in item_ids]))
            shares.append(part.share if matching else 0.0)
    if not any(shares):
        raise InvalidInput(f"curriculum: leaves nothing of {version_id} to draw; add a share of everything, as in 1:")
    return mixed_weights(groups, shares, len(item_ids))
