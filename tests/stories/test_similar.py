"""From a frame to more like it, by the encoder of a round."""

from functools import partial

import numpy as np
import pytest

from al_platform.catalog.models import encoder_blob, ensemble_named
from al_platform.errors import InvalidInput, NotFound
from al_platform.loop.embeddings import frame_embeddings
from al_platform.loop.models import image_table
from al_platform.loop.similar import similar_frames
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context, run_one_round
from al_platform.platform.similar import find_similar
from al_platform.training.embedding import EmbeddingModel, open_embedder
from tests.fleet import frames_of, round_spec

pytestmark = pytest.mark.story


def test_neighbours_in_the_film_are_like_each_other_and_an_example_is_never_found(platform: Platform) -> None:
    run_one_round(platform, round_spec(platform, "random", budget=2))
    pool = frames_of(platform, "split=pool")
    found = find_similar(platform, pool[:1], filter_text="split=pool", count=100)
    assert sorted(frame.frame_id for frame in found) == sorted(pool[1:])
    assert [frame.score for frame in found] == sorted((frame.score for frame in found), reverse=True)
    drive = set(frames_of(platform, "split=pool")[:4])
    assert drive & {frame.frame_id for frame in found[:8]}
    assert len(find_similar(platform, pool[:2], unlike=pool[-2:], count=5)) == 5


def test_beyond_a_million_frames_an_index_finds_what_comparing_each_would(platform: Platform) -> None:
    round_ = run_one_round(platform, round_spec(platform, "random", budget=2))
    pool, context = frames_of(platform, "split=pool"), loop_context(platform)
    looked_for = partial(
        similar_frames, context, round_, pool[:2], unlike=pool[-1:], filter_text="split=pool,frame_number<3", count=9
    )
    exact = looked_for()
    for _ in range(2):  # made, then found
        assert looked_for(exact_up_to=0) == exact


def test_what_was_gathered_for_one_search_serves_the_next_and_no_model_is_loaded_twice(platform: Platform) -> None:
    context = loop_context(platform)
    round_ = run_one_round(platform, round_spec(platform, "random", budget=2))
    with platform.catalog.transaction() as tx:
        ensemble = ensemble_named(tx, round_.ensemble_id or "")
        encoder = encoder_blob(tx, ensemble.encoder_id) or ""
        frames, fewer = (image_table(tx, frames_of(platform, text)) for text in ("split=pool", "frame_number<2"))
    first = frame_embeddings(context, round_, frames).pool
    assert frame_embeddings(context, round_, frames).pool is first
    assert len(frame_embeddings(context, round_, fewer).pool) == fewer.num_rows
    again = frame_embeddings(loop_context(platform), round_, frames).pool
    assert again is not first
    np.testing.assert_array_equal(again, first)
    model = EmbeddingModel(ensemble.spec, ensemble.ensemble_id, ensemble.weights_hash, encoder)
    one, another = (open_embedder(context.place, model) for _ in range(2))
    assert one.embed is another.embed
    assert not one.cache.missing(frames["image_hash"].to_pylist())


def test_what_cannot_be_looked_for_is_refused_with_its_cure(platform: Platform) -> None:
    frame, *_ = frames_of(platform, "split=pool")
    with pytest.raises(InvalidInput, match="no trained encoder yet; run `alp round run` first"):
        find_similar(platform, [frame])
    run_one_round(platform, round_spec(platform, "random", budget=2))
    with pytest.raises(NotFound, match="frame frm_none: not in the catalog"):
        find_similar(platform, ["frm_none"])
    with pytest.raises(InvalidInput, match="filter 'frame_number<0': no frame matches"):
        find_similar(platform, [frame], filter_text="frame_number<0")
    with pytest.raises(InvalidInput, match="is both positive and negative"):
        find_similar(platform, [frame], unlike=[frame])
    with pytest.raises(InvalidInput, match="count 0: must be at least 1"):
        find_similar(platform, [frame], count=0)
