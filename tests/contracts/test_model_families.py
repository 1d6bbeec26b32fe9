"""What every model family promises; a family in the table is tested without being named here."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from al_platform.domain.models import GridSpec, ModelSpec
from al_platform.models.base import Encoder, ModelFamily, Parameters
from al_platform.models.families import FAMILIES
from al_platform.models.scoring import make_heatmaps, make_mean_probability, make_scorer

SPEC = ModelSpec(
    classes=("pedestrian", "bicyclist", "vehicle"),
    members=3,
    grid=GridSpec(image_height=64, image_width=96, cell=16),
    options={"projection": 16, "hidden": 8},
)
FRAMES = 5
CELLS = (SPEC.grid.rows, SPEC.grid.columns)
TEMPERATURES = np.array([0.5, 1.0, 2.0], np.float32)


def road_scenes(count: int, seed: int = 0) -> np.ndarray:
    """Smooth random scenes uint8 [count, h, w, 3], so that pretrained features have something to see."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 8, 12, 3))
    return np.repeat(np.repeat(coarse, 8, axis=1), 8, axis=2).astype(np.uint8)


def stacked(family: ModelFamily, seeds: list[int]) -> Parameters:
    members = [family.init(SPEC, jax.random.key(seed)) for seed in seeds]
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *members)


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def family(request: pytest.FixtureRequest) -> ModelFamily:
    """The family from the table, its functions of parameters compiled once for all tests."""
    listed = FAMILIES[request.param]
    compiled = {
        name: jax.jit(partial(getattr(listed, name), SPEC))
        for name in ("init", "train_logits", "score_logits", "embed")
    }
    return replace(listed, **{name: lambda _, *arrays, f=function: f(*arrays) for name, function in compiled.items()})


@pytest.fixture(scope="module")
def encoder(family: ModelFamily) -> Encoder:
    return family.load_encoder(SPEC, family.fit_encoder(SPEC, iter([road_scenes(FRAMES)])))


@pytest.fixture(scope="module")
def inputs(encoder: Encoder) -> jax.Array:
    return jnp.asarray(encoder.encode(road_scenes(FRAMES, seed=1)))


def test_its_name_is_the_one_in_the_table():
    assert all(family.name == name for name, family in FAMILIES.items())


def test_equal_samples_give_equal_encoder_bytes_and_keys(family):
    first, second = (family.fit_encoder(SPEC, iter([road_scenes(FRAMES)])) for _ in range(2))
    assert first == second
    assert family.load_encoder(SPEC, first).key == family.load_encoder(SPEC, second).key


def test_the_key_knows_the_image_size_and_not_what_only_labels_depend_on(family, encoder):
    content = family.fit_encoder(SPEC, iter([road_scenes(FRAMES)]))
    larger, stricter = (
        ModelSpec(classes=SPEC.classes, grid=grid, options=SPEC.options)
        for grid in (GridSpec(96, 96, 16), GridSpec(64, 96, 16, positive_share=0.5))
    )
    assert family.load_encoder(larger, content).key != encoder.key
    assert family.load_encoder(stricter, content).key == encoder.key


def test_records_have_the_promised_shape_and_type(encoder):
    for count in (0, 1, FRAMES):
        records = encoder.encode(road_scenes(count))
        assert records.shape == (count, *encoder.shape)
        assert records.dtype == encoder.dtype


def test_a_frame_is_encoded_alike_alone_and_in_company(encoder):
    images = road_scenes(FRAMES)
    singles = np.concatenate([encoder.encode(image[None]) for image in images])
    together = encoder.encode(images)
    np.testing.assert_allclose(together.astype(float), singles.astype(float), rtol=2e-3, atol=2e-3)


def test_logits_have_an_axis_for_members_frames_classes_rows_and_columns(family, inputs):
    logits = family.train_logits(SPEC, stacked(family, [0, 1, 2]), inputs)
    assert logits.shape == (SPEC.members, FRAMES, len(SPEC.classes), *CELLS)
    assert np.isfinite(logits).all()


def test_training_and_scoring_see_the_same_logits(family, inputs):
    parameters = stacked(family, [0, 1, 2])
    trained = family.train_logits(SPEC, parameters, inputs)
    scored = family.score_logits(SPEC, parameters, inputs)
    np.testing.assert_allclose(trained, scored, atol=1e-4, rtol=1e-4)


def test_members_differ_by_their_key_alone(family, inputs):
    logits = family.score_logits(SPEC, stacked(family, [7, 7, 8]), inputs)
    np.testing.assert_allclose(logits[0], logits[1], atol=1e-5)
    assert np.abs(logits[0] - logits[2]).mean() > 1e-2


def test_a_member_does_not_notice_the_others(family, inputs):
    together = family.score_logits(SPEC, stacked(family, [0, 1, 2]), inputs)
    alone = family.score_logits(SPEC, stacked(family, [1]), inputs)
    np.testing.assert_allclose(together[1], alone[0], atol=1e-4, rtol=1e-4)


def test_untrained_members_call_every_class_rare(family, inputs):
    logits = family.score_logits(SPEC, stacked(family, [0, 1, 2]), inputs)
    assert np.median(jax.nn.sigmoid(logits)) < 0.15


def test_gradients_are_finite_reach_every_weight_and_stay_within_their_member(family, inputs):
    def loss_of_first_member(parameters):
        return jnp.mean(jax.nn.softplus(family.train_logits(SPEC, parameters, inputs)[0]))

    slopes = jax.jit(jax.grad(loss_of_first_member))(stacked(family, [0, 1, 2]))
    for slope in jax.tree.leaves(slopes):
        assert np.isfinite(slope).all()
        assert np.abs(slope[0]).max() > 0.0
        assert np.abs(slope[1:]).max() == 0.0


def test_embeddings_are_one_vector_a_frame_whatever_the_company(family, inputs):
    parameters = stacked(family, [0, 1, 2])
    together = family.embed(SPEC, parameters, inputs)
    assert together.shape[0] == FRAMES
    assert together.ndim == 2
    np.testing.assert_allclose(family.embed(SPEC, parameters, inputs[1:2])[0], together[1], atol=1e-4)


def test_padding_changes_no_score(family, inputs):
    score, parameters = make_scorer(family, SPEC), stacked(family, [0, 1, 2])
    padded = jnp.concatenate([inputs, jnp.zeros((3, *inputs.shape[1:]), inputs.dtype)])
    bare, filled = (score(parameters, TEMPERATURES, frames) for frames in (inputs, padded))
    for one, other in zip(jax.tree.leaves(bare), jax.tree.leaves(filled), strict=True):
        np.testing.assert_allclose(one, other[:FRAMES], rtol=1e-3, atol=1e-5)


def test_members_that_agree_are_informative_nowhere(family, inputs):
    same = np.ones(3, np.float32)
    heatmaps = make_heatmaps(family, SPEC)(stacked(family, [7, 7, 7]), same, inputs)
    assert heatmaps.shape == (FRAMES, len(SPEC.classes), *CELLS)
    np.testing.assert_allclose(heatmaps, 0.0, atol=1e-6)


def test_the_mean_probability_is_that_of_calibrated_members(family, inputs):
    parameters = stacked(family, [0, 1, 2])
    logits = np.asarray(family.score_logits(SPEC, parameters, inputs), np.float64)
    expected = (1.0 / (1.0 + np.exp(-logits / TEMPERATURES[:, None, None, None, None]))).mean(axis=0)
    found = make_mean_probability(family, SPEC)(parameters, TEMPERATURES, inputs)
    np.testing.assert_allclose(found, expected, atol=1e-4)
