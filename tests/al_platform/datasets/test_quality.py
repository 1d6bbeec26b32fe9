"""Cheap statistics of pictures."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from al_platform.datasets.quality import image_quality
from al_platform.errors import InvalidInput


def _encoded(picture: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=kind)
    return buffer.getvalue()


def _rough(width: int = 320, height: int = 224) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (height, width, 3)).astype(np.uint8))


@pytest.mark.parametrize("grey", [0, 90, 255])
def test_an_even_picture_has_its_brightness_and_no_sharpness(grey: int) -> None:
    quality = image_quality(_encoded(Image.new("RGB", (640, 480), (grey, grey, grey))))
    assert (quality.width, quality.height) == (640, 480)
    assert (quality.brightness, quality.sharpness) == (grey, 0.0)


def test_a_blurred_picture_is_less_sharp() -> None:
    blurred = _rough().filter(ImageFilter.GaussianBlur(2))
    assert image_quality(_encoded(blurred)).sharpness < 0.1 * image_quality(_encoded(_rough())).sharpness


def test_sharpness_is_the_variance_of_the_laplacian() -> None:
    grey = np.random.default_rng(1).integers(0, 255, (9, 11)).astype(np.uint8)
    values = [
        float(grey[y - 1, x]) + grey[y + 1, x] + grey[y, x - 1] + grey[y, x + 1] - 4.0 * grey[y, x]
        for y in range(1, 8)
        for x in range(1, 10)
    ]
    assert image_quality(_encoded(Image.fromarray(grey))).sharpness == pytest.approx(np.var(values), rel=1e-5)


def test_one_pixel_is_a_picture() -> None:
    assert image_quality(_encoded(Image.new("L", (1, 1), 7))).brightness == 7.0


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_that_is_cut_off_is_refused_with_the_reason(kind: str) -> None:
    whole = _encoded(_rough(), kind)
    with pytest.raises(InvalidInput, match="does not decode"):
        image_quality(whole[: len(whole) // 2])


def test_bytes_that_are_no_picture_are_refused_with_the_reason() -> None:
    with pytest.raises(InvalidInput, match="no JPEG or PNG"):
        image_quality(b"hello")
