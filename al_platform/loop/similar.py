"""More like this: frames whose embedding points where those of some examples do."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from acquisition import most_similar
from acquisition.similarity import cosines, example_direction
from al_platform.catalog.datasets import pool_table
from al_platform.catalog.frames import frames_matching
from al_platform.domain.ids import make_id
from al_platform.domain.rounds import Round
from al_platform.errors import InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.loop.embeddings import FrameEmbeddings, frame_embeddings
from al_platform.loop.models import encoder_id_of, image_table
from al_platform.loop.rows import PoolRows
from al_platform.models.families import family_named
from al_platform.storage.blobs import write_durably
from al_platform.storage.vectors import VectorIndex

EXACT_UP_TO = 1_000_000
"""Frames that are compared one by one; beyond it an index of the round's pool is asked."""


@dataclass(frozen=True)
class SimilarFrame:
    """A frame and how like the examples it is, in [-2, 2]; higher = more."""

    frame_id: str
    score: float


def similar_frames(
    context: LoopContext,
    round_: Round,
    examples: Sequence[str],
    *,
    unlike: Sequence[str],
    filter_text: str,
    count: int,
    exact_up_to: int = EXACT_UP_TO,
) -> list[SimilarFrame]:
    """Give the `count` frames most like the examples and least like `unlike`, best first, of those the filter matches.

    Similarity is that of `acquisition.most_similar` on the embeddings of the round's encoder. The examples
    themselves and frames that cannot be read are left out. Where more than `exact_up_to` frames match, those of the
    round's pool are searched by an approximate index, made once and kept among the caches.

    Raises: NotFound for an unknown frame; InvalidInput for a filter that does not parse or matches nothing, no
        example, an example that cannot be read, one named as both, or a count below 1.
    """
    _require_examples(examples, unlike, count)
    with context.catalog.transaction() as tx:
        matched = frames_matching(tx, filter_text)
        named = image_table(tx, list(dict.fromkeys([*examples, *unlike])))
    matching = matched["item_id"]
    if len(matching) > exact_up_to:
        return _by_index(context, round_, examples, unlike=unlike, matched=matching, count=count)
    if not len(matching):
        raise InvalidInput(f"filter {filter_text!r}: no frame matches; `alp frames` shows what there is")
    others = named.filter(pc.invert(pc.is_in(named["item_id"], value_set=matching)))
    candidates = pa.concat_tables([matched.select(named.column_names), others])
    rows = PoolRows(candidates["item_id"])
    embedded = frame_embeddings(context, round_, candidates)
    _require_readable((*examples, *unlike), embedded)
    found, scores = most_similar(
        embedded.pool,
        rows.rows_of(examples),
        count,
        negatives=rows.rows_of(unlike),
        allowed=rows.mask_of(matching) & ~rows.mask_of(embedded.unreadable),
    )
    return [SimilarFrame(*pair) for pair in zip(rows.ids_of(found.tolist()), scores.tolist(), strict=True)]


def _require_examples(examples: Sequence[str], unlike: Sequence[str], count: int) -> None:
    if count < 1:
        raise InvalidInput(f"similar: count {count}: must be at least 1")
    if not examples:
        raise InvalidInput("similar: no example; name at least one frame")
    for frame_id in examples:
        if frame_id in unlike:
            raise InvalidInput(f"similar: frame {frame_id}: is both positive and negative; name it once")


def _require_readable(frame_ids: Sequence[str], embedded: FrameEmbeddings) -> None:
    for frame_id in frame_ids:
        if frame_id in embedded.unreadable:
            raise InvalidInput(f"frame {frame_id}: cannot be read ({embedded.unreadable[frame_id]})")


def _by_index(
    context: LoopContext,
    round_: Round,
    examples: Sequence[str],
    *,
    unlike: Sequence[str],
    matched: pa.ChunkedArray,
    count: int,
) -> list[SimilarFrame]:
    with context.catalog.transaction() as tx:
        pool = pool_table(tx, context.blobs, round_.spec.pool_id)
        named = image_table(tx, [*examples, *unlike])
    rows, (index, unreadable) = PoolRows(pool["item_id"]), _index(context, round_, pool)
    shown = frame_embeddings(context, round_, named)
    _require_readable((*examples, *unlike), shown)
    places = range(len(shown.pool))
    direction_D = example_direction(shown.pool, places[: len(examples)], negatives=places[len(examples) :])
    allowed = rows.mask_of(matched) & ~rows.mask_of((*examples, *unlike, *unreadable))
    nearest = pool.take(index.nearest(direction_D, count, allowed=allowed)[0])
    found = nearest["item_id"].to_pylist()
    scores = cosines(frame_embeddings(context, round_, nearest).pool, direction_D)
    ranked = sorted(zip(found, scores.tolist(), strict=True), key=lambda pair: -pair[1])
    return [SimilarFrame(*pair) for pair in ranked]


def _index(context: LoopContext, round_: Round, pool: pa.Table) -> tuple[VectorIndex, Collection[str]]:
    spec = round_.spec
    weights = round_.ensemble_id if family_named(spec.frame_model.family).embeds_with_weights else ""
    name = make_id("idx", encoder_id_of(spec.frame_model, spec.pool_id), weights)
    path, lost = context.caches.folder / "index" / name, context.caches.folder / "index" / f"{name}.unreadable"
    if path.exists() and lost.exists():
        return VectorIndex.open(path), lost.read_text().split()
    embedded = frame_embeddings(context, round_, pool)
    write_durably(lost, " ".join(embedded.unreadable).encode())
    return VectorIndex.build(path, embedded.pool), embedded.unreadable
