import jax
import numpy as np
import pytest

from al_platform.domain.models import GridSpec, ModelSpec
from al_platform.errors import InvalidInput
from al_platform.models.families import family_named
from al_platform.models.projection import Projection, projection_to_bytes

IMAGE = np.zeros((1, 64, 64, 3), np.uint8)


def spec_of(family: str, *grid: int, **options: int) -> ModelSpec:
    return ModelSpec(classes=("pedestrian",), family=family, grid=GridSpec(*grid), options=options)


def test_an_unknown_family_is_answered_with_the_known_ones():
    with pytest.raises(InvalidInput, match="nothing: known are prefix-heads, unet"):
        family_named("nothing")


@pytest.mark.parametrize("grid", [(240, 320, 16), (224, 320, 32), (224, 320, 8)])
def test_the_prefix_needs_cells_of_16_and_multiples_of_32(grid):
    family, spec = family_named("prefix-heads"), spec_of("prefix-heads", *grid)
    with pytest.raises(InvalidInput, match="320x224"):
        family.fit_encoder(spec, iter([IMAGE]))
    with pytest.raises(InvalidInput, match="320x224"):
        family.init(spec, jax.random.key(0))


def test_an_encoder_of_another_width_is_refused():
    content = projection_to_bytes(Projection(np.zeros(592), np.ones(592), np.zeros((592, 4))))
    with pytest.raises(InvalidInput, match="encoder with 4 components"):
        family_named("prefix-heads").load_encoder(spec_of("prefix-heads", 64, 64, 16, projection=8), content)


def test_a_grid_that_halving_does_not_reach_is_refused():
    with pytest.raises(InvalidInput, match="power of two"):
        family_named("unet").init(spec_of("unet", 120, 160, 20), jax.random.key(0))


def test_the_bytes_of_another_encoder_are_refused():
    with pytest.raises(InvalidInput, match="fits none"):
        family_named("unet").load_encoder(spec_of("unet", 120, 160, 8), b"projection")


@pytest.mark.parametrize(("grid", "cells"), [((120, 160, 8), (15, 20)), ((96, 128, 16), (6, 8))])
def test_a_unet_answers_per_cell_also_where_halves_do_not_fit(grid, cells):
    family, spec = family_named("unet"), spec_of("unet", *grid)
    keys = jax.random.split(jax.random.key(0), 2)
    parameters = jax.eval_shape(jax.vmap(lambda key: family.init(spec, key)), keys)
    images = jax.ShapeDtypeStruct((3, *grid[:2], 3), np.uint8)
    logits = jax.eval_shape(lambda p, x: family.score_logits(spec, p, x), parameters, images)
    assert logits.shape == (2, 3, 1, *cells)


def test_a_unet_for_cells_of_8_pixels_has_about_240_thousand_parameters():
    family, spec = family_named("unet"), spec_of("unet", 120, 160, 8)
    shapes = jax.eval_shape(lambda key: family.init(spec, key), jax.random.key(0))
    assert 230_000 < sum(leaf.size for leaf in jax.tree.leaves(shapes)) < 250_000
