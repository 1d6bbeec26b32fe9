"""More like this: frames whose embedding points where those of some examples do."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from acquisition import most_similar
from al_platform.catalog.frames import frames_by_id, frames_matching
from al_platform.domain.rounds import Round
from al_platform.errors import InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.loop.embeddings import frame_embeddings
from al_platform.loop.rows import PoolRows


@dataclass(frozen=True)
class SimilarFrame:
    """A frame and how like the examples it is, in [-2, 2]; higher = more."""

    frame_id: str
    score: float


def similar_frames(
    context: LoopContext, round_: Round, examples: Sequence[str], *, unlike: Sequence[str], filter_text: str, count: int
) -> list[SimilarFrame]:
    """Give the `count` frames most like the examples and least like `unlike`, best first, of those the filter matches.

    Similarity is that of `acquisition.most_similar` on the embeddings of the round's encoder. The examples
    themselves and frames that cannot be read are left out.

    Raises: NotFound for an unknown frame; InvalidInput for a filter that does not parse or matches nothing, no
        example, an example that cannot be read, one named as both, or a count below 1.
    """
    with context.catalog.transaction() as tx:
        matching = frames_matching(tx, filter_text)["frame_id"].to_pylist()
        frames_by_id(tx, [*examples, *unlike])
    if not matching:
        raise InvalidInput(f"filter {filter_text!r}: no frame matches; `alp frames` shows what there is")
    candidates = list(dict.fromkeys([*matching, *examples, *unlike]))
    rows = PoolRows(pa.chunked_array([pa.array(candidates, pa.string())]))
    embedded = frame_embeddings(context, round_, candidates, [])
    for frame_id in (*examples, *unlike):
        if frame_id in embedded.unreadable:
            raise InvalidInput(f"frame {frame_id}: cannot be read ({embedded.unreadable[frame_id]})")
    try:
        found, scores = most_similar(
            embedded.pool,
            rows.rows_of(examples),
            count,
            negatives=rows.rows_of(unlike),
            allowed=rows.mask_of(matching) & ~rows.mask_of(embedded.unreadable),
        )
    except ValueError as error:
        raise InvalidInput(f"similar: {error}") from error
    return [SimilarFrame(*pair) for pair in zip(rows.ids_of(found.tolist()), scores.tolist(), strict=True)]
