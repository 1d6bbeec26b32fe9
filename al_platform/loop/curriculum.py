"""How often training draws each labelled frame: the shares of a curriculum, resolved by the catalog."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.catalog.frames import frames_matching_among
from al_platform.domain.rounds import CurriculumShare
from al_platform.errors import InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.training.sampling import mixed_weights


def curriculum_weights(
    context: LoopContext, curriculum: Sequence[CurriculumShare], frame_ids: Sequence[str]
) -> NDArray[Any] | None:
    """Give the weight of each frame, float64 [N]; None without a curriculum: every frame alike.

    Frames and their tags never change, so the same curriculum gives the same weights for ever.

    Raises: InvalidInput for a filter that does not parse, or that has a share and matches none of the frames.
    """
    if not curriculum:
        return None
    groups = []
    with context.catalog.transaction() as tx:
        for part in curriculum:
            matching = frames_matching_among(tx, part.filter, frame_ids)
            if part.share > 0.0 and not matching:
                raise InvalidInput(
                    f"curriculum {part.filter!r}: matches none of the {len(frame_ids)} labelled frames; "
                    "widen it, or leave it out until some are labelled"
                )
            groups.append(np.flatnonzero([frame_id in matching for frame_id in frame_ids]))
    return mixed_weights(groups, [part.share for part in curriculum], len(frame_ids))
