"""What is in a picture, counted pixel by pixel.

Axes: V rows, U columns, N things, C classes.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float, Int


def cells_of(classes: Int[Array, "V U"], cell: int, count: int) -> Float[Array, "rows columns C"]:
    """Share of each cell's pixels that show a class."""
    height, width = classes.shape
    tiles = classes.reshape(height // cell, cell, width // cell, cell)
    shown = tiles[None] == jnp.arange(count)[:, None, None, None, None]
    return shown.mean(axis=(2, 4), dtype=jnp.float32).transpose(1, 2, 0)


def boxes_of(shown: Int[Array, "V U"], count: int) -> tuple[Int[Array, "N 4"], Int[Array, "N"]]:
    """First column and row, last column and row, and pixels of each thing by its number; -1 where none shows it."""
    of_thing = shown[None] == jnp.arange(count)[:, None, None]
    rows, columns = of_thing.sum(axis=2), of_thing.any(axis=1)
    spans = [_span(columns), _span(rows > 0)]
    first, last = zip(*spans, strict=True)
    pixels = rows.sum(axis=1)
    boxes = jnp.stack([*first, *last], axis=1)
    return jnp.where(pixels[:, None] > 0, boxes, -1).astype(jnp.int32), pixels


def hidden(whole: Int[Array, "N"], seen: Int[Array, "N"]) -> Float[Array, "N"]:
    """Share of a thing's pixels that something nearer hides; 1 where it has none."""
    return jnp.where(whole > 0, 1.0 - seen / jnp.maximum(whole, 1), 1.0).astype(jnp.float32)


def _span(used: Array) -> tuple[Int[Array, "N"], Int[Array, "N"]]:
    return used.argmax(axis=1), used.shape[1] - 1 - used[:, ::-1].argmax(axis=1)
