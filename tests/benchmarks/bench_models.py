"""Rates of the models on this machine, each fast form beside the one it replaces.

Run `python tests/benchmarks/bench_models.py`. Rates on a shared machine vary; compare lines of one run.
"""

import datetime
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from al_platform.domain.models import GridSpec, ModelSpec
from al_platform.models.batches import in_groups
from al_platform.models.convolutions import convolve
from al_platform.models.families import family_named
from al_platform.models.lite0 import CPU_GROUP, Form, lite0_features, normalised
from al_platform.models.lite0_weights import pretrained_lite0
from al_platform.models.scoring import make_scorer

MEMBERS = 8
BATCH = 16
TRAIN_STEPS = 3
HEADS = ModelSpec(classes=("pedestrian", "bicyclist"), family="prefix-heads", members=MEMBERS)
UNET = ModelSpec(classes=("pedestrian", "bicyclist"), family="unet", members=MEMBERS, grid=GridSpec(120, 160, 8))


@dataclass(frozen=True)
class Line:
    """One row of the table: `run` does `work` units of `unit`, `repeats` times."""

    name: str
    unit: str
    work: float
    run: Callable[[], Any]
    repeats: int = 5


def images(count: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


def lite0_lines() -> Iterator[Line]:
    weights = pretrained_lite0().weights
    for height, width in ((224, 320), (120, 160)):
        frames = images(BATCH, height, width)
        for form in ("shifts", "library"):
            run = partial(jitted_features, weights, frames, form)
            repeats = 8 if form == "shifts" else 1
            yield Line(f"Lite0 features {width}x{height}, {form}", "img/s", BATCH, run, repeats)


@partial(jax.jit, static_argnums=2)
def jitted_features(weights: Any, frames: jax.Array, form: Form) -> Any:
    features = partial(lite0_features, weights, form=form)
    if form == "library":
        return features(normalised(frames))
    return in_groups(lambda part: features(normalised(part)), frames, at_most=CPU_GROUP)


def stacked(spec: ModelSpec) -> Any:
    keys = jax.random.split(jax.random.key(0), spec.members)
    return jax.jit(jax.vmap(lambda key: family_named(spec.family).init(spec, key)))(keys)


def scoring_lines() -> Iterator[Line]:
    ones = jnp.ones(MEMBERS)
    records = np.random.default_rng(0).standard_normal((64, 14, 20, 128)).astype(np.float16)
    for spec, inputs in ((HEADS, jnp.asarray(records)), (UNET, jnp.asarray(images(32, 120, 160)))):
        score = make_scorer(family_named(spec.family), spec)
        name = f"{spec.family}: {MEMBERS} members + frame measures"
        yield Line(name, "img/s", len(inputs), partial(score, stacked(spec), ones, inputs), 8)


def training_lines() -> Iterator[Line]:
    records = np.random.default_rng(0).standard_normal((BATCH, 14, 20, 128)).astype(np.float16)
    for spec, inputs, repeats in (
        (HEADS, jnp.asarray(records), 10),
        (UNET, jnp.asarray(images(BATCH, 120, 160)), 3),
    ):
        logits_of = partial(family_named(spec.family).train_logits, spec)
        run = partial(jitted_descent(logits_of), stacked(spec), inputs)
        name = f"{spec.family}: train {MEMBERS} members, gradient in scan"
        yield Line(name, "img/s", BATCH * TRAIN_STEPS, run, repeats)


def jitted_descent(logits_of: Callable[[Any, jax.Array], jax.Array]) -> Callable[..., Any]:
    def loss(parameters: Any, inputs: jax.Array) -> jax.Array:
        return jnp.mean(jax.nn.softplus(logits_of(parameters, inputs)))

    def step(parameters: Any, inputs: jax.Array) -> Any:
        slopes = jax.grad(loss)(parameters, inputs)
        return jax.tree.map(lambda weight, slope: weight - 1e-3 * slope, parameters, slopes)

    def descend(parameters: Any, inputs: jax.Array) -> Any:
        return jax.lax.scan(lambda p, _: (step(p, inputs), None), parameters, None, length=TRAIN_STEPS)[0]

    return jax.jit(descend)


def member_convolution_lines() -> Iterator[Line]:
    """Trap: a convolution vmapped over members' kernels and activations becomes a grouped one."""
    x, kernels = convolution_case(MEMBERS)
    one = partial(convolve, stride=1, form="library")
    forms: dict[str, Callable[..., Any]] = {
        "vmap": lambda pairs: jax.vmap(one)(*pairs),
        "lax.map": partial(jax.lax.map, lambda pair: one(*pair)),
        "unrolled": lambda pairs: jnp.stack([one(*pair) for pair in zip(*pairs, strict=True)]),
    }
    work = convolution_gflop(x, kernels[0])
    for name, form in forms.items():
        run = partial(jax.jit(form), (x, kernels))
        yield Line(f"forward, 8 kernels, {name}", "GFLOP/s", work, run)


def scanned_gradient_lines() -> Iterator[Line]:
    """Trap: the gradient of a library convolution inside `lax.scan` loses its fast path."""
    (x,), (kernel,) = convolution_case(1)

    def slope(kernel: jax.Array, form: Form) -> jax.Array:
        squares = lambda kernel: jnp.sum(convolve(x, kernel, stride=1, form=form) ** 2)  # noqa: E731
        return jax.grad(squares)(kernel)

    def scanned(kernel: jax.Array, form: Form) -> jax.Array:
        return jax.lax.scan(lambda k, _: (k - 1e-6 * slope(k, form), None), kernel, None, length=2)[0]

    work = 2 * convolution_gflop(x, kernel)
    for name, run, form, steps in (
        ("library, outside scan", slope, "library", 1),
        ("library, inside scan", scanned, "library", 2),
        ("im2col, inside scan", scanned, "shifts", 2),
    ):
        compiled = partial(jax.jit(run, static_argnums=1), kernel, form)
        yield Line(f"kernel gradient, {name}", "GFLOP/s", steps * work, compiled)


def convolution_case(members: int) -> tuple[jax.Array, jax.Array]:
    keys = jax.random.split(jax.random.key(0))
    return jax.random.normal(keys[0], (members, BATCH, 30, 40, 32)), jax.random.normal(keys[1], (members, 3, 3, 32, 32))


def convolution_gflop(x: jax.Array, kernel: jax.Array) -> float:
    return 2.0 * x.size * kernel.size / kernel.shape[2] / 1e9


def measured(line: Line) -> tuple[float, float, float]:
    """(best rate, median rate, seconds to the first result)."""
    start = time.perf_counter()
    jax.block_until_ready(line.run())
    first = time.perf_counter() - start
    seconds = []
    for _ in range(line.repeats):
        start = time.perf_counter()
        jax.block_until_ready(line.run())
        seconds.append(time.perf_counter() - start)
    return line.work / min(seconds), line.work / float(np.median(seconds)), first


def main() -> None:
    sys.stdout.write(
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, load"
        f" {os.getloadavg()[0]:.1f}, jax {jax.__version__} on {jax.default_backend()}\n"
        f"{'':50}{'best':>10}{'median':>10}{'':10}{'first, s':>9}\n"
    )
    for lines in (
        lite0_lines,
        scoring_lines,
        training_lines,
        member_convolution_lines,
        scanned_gradient_lines,
    ):
        for line in lines():
            best, median, first = measured(line)
            sys.stdout.write(f"{line.name:50}{best:10.1f}{median:10.1f} {line.unit:9}{first:9.1f}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
