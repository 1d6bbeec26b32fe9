import io

import numpy as np
import pytest
from PIL import Image

from al_platform.domain.models import GridSpec
from al_platform.errors import InvalidInput
from al_platform.models.decode import decode_batch, decode_image

GRID = GridSpec(image_height=32, image_width=48, cell=16)


def encoded(pixels: np.ndarray, kind: str = "PNG", mode: str | None = None) -> bytes:
    image, buffer = Image.fromarray(pixels), io.BytesIO()
    (image.convert(mode) if mode else image).save(buffer, kind)
    return buffer.getvalue()


def gradient(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[0:height, 0:width]
    red, green = 255.0 * rows / height, 255.0 * columns / width
    return np.stack([red, green, np.full_like(red, 40.0)], axis=-1).astype(np.uint8)


def test_an_image_of_the_grids_size_comes_back_unchanged():
    pixels = gradient(32, 48)
    np.testing.assert_array_equal(decode_image(encoded(pixels), GRID), pixels)


@pytest.mark.parametrize(("kind", "scale"), [("PNG", 2), ("PNG", 10), ("JPEG", 2), ("JPEG", 5), ("JPEG", 16)])
def test_larger_images_are_averaged_down(kind, scale):
    found = decode_image(encoded(gradient(32 * scale, 48 * scale), kind), GRID)
    np.testing.assert_allclose(found.astype(float), gradient(32, 48).astype(float), atol=10.0)


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "1", "LA"])
def test_other_eight_bit_modes_become_rgb(mode):
    assert decode_image(encoded(gradient(32, 48), mode=mode), GRID).shape == (32, 48, 3)


def test_a_batch_keeps_the_order_whatever_the_threads():
    images = [encoded(np.full((20, 30, 3), level, np.uint8)) for level in range(0, 250, 10)]
    for threads in (1, 3):
        batch = decode_batch(images, GRID, threads)
        assert batch.shape == (25, 32, 48, 3)
        np.testing.assert_array_equal(batch[:, 0, 0, 0], np.arange(0, 250, 10))
    assert decode_batch([], GRID).shape == (0, 32, 48, 3)


def broken() -> list[bytes]:
    jpeg, png = encoded(gradient(64, 96), "JPEG"), encoded(gradient(64, 96))
    return [b"", b"not an image", jpeg[: len(jpeg) // 2], png[: len(png) // 2], png[:40] + b"\0" * 60]


@pytest.mark.parametrize("content", broken(), ids=["empty", "text", "cut jpeg", "cut png", "bad png"])
def test_a_file_that_does_not_decode_is_refused_with_the_reason(content):
    with pytest.raises(InvalidInput, match="not a readable JPEG or PNG image"):
        decode_image(content, GRID)


def test_a_format_that_is_not_offered_is_refused():
    with pytest.raises(InvalidInput, match="not a readable JPEG or PNG image"):
        decode_image(encoded(gradient(32, 48), "BMP"), GRID)


def test_sixteen_bit_images_are_refused_rather_than_clipped():
    depth = np.linspace(0, 65535, 32 * 48).reshape(32, 48).astype(np.uint16)
    with pytest.raises(InvalidInput, match="convert it to 8 bits"):
        decode_image(encoded(depth), GRID)
