"""Rates of the models on this machine, each fast form beside the one it replaces.

Run `python tests/benchmarks/bench_models.py`. Rates on a shared machine vary; compare lines of one run. The share is of
the matrix product measured just before the line, both per second of processor time: other work on the machine
disturbs that least, since waiting costs none; a cold cache does.
"""

import datetime
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from al_platform.domain.models import GridSpec, ModelSpec
from al_platform.models.batches import in_groups
from al_platform.models.convolutions import Gradient, convolve
from al_platform.models.families import family_named
from al_platform.models.lite0 import CPU_GROUP, Form, lite0_features, normalised
from al_platform.models.lite0_weights import pretrained_lite0
from al_platform.models.scoring import make_scorer
from al_platform.training.fit import LabeledFrames, TrainState, fit_ensemble

MEMBERS = 8
BATCH = 16
ROWS = 128
TRAIN_STEPS = {"prefix-heads": 25, "unet": 10}
PEAK_SIZE = 1536
PEAK_GFLOP = 2.0 * PEAK_SIZE**3 / 1e9
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
    gflop: float | None = None
    """What the products and convolutions of one run amount to, where a share of the peak says something."""


@dataclass(frozen=True)
class Timing:
    """Seconds of one line: the least and the median that passed, the least of processor time, the first run."""

    best: float
    median: float
    processor: float
    first: float


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
        gflop = member_gflop(spec, inputs) * MEMBERS
        yield Line(name, "img/s", len(inputs), partial(score, stacked(spec), ones, inputs), 8, gflop)


def member_gflop(spec: ModelSpec, inputs: jax.Array) -> float:
    """One member's forward pass as the compiler counts it, without the elementwise work, which is small."""
    one = jax.tree.map(lambda leaf: leaf[:1], stacked(spec))
    forward = jax.jit(partial(family_named(spec.family).score_logits, spec))
    return float(forward.lower(one, inputs).compile().cost_analysis()["flops"]) / 1e9


def training_lines() -> Iterator[Line]:
    records = np.random.default_rng(0).standard_normal((ROWS, 14, 20, 128)).astype(np.float16)
    for spec, inputs, repeats in ((HEADS, records, 8), (UNET, images(ROWS, 120, 160), 3)):
        short = replace(spec, training=replace(spec.training, evaluate_every=TRAIN_STEPS[spec.family]))
        frames = spec.training.batch_frames * TRAIN_STEPS[spec.family]
        # a gradient is twice the forward pass, once by the weights and once by what they multiply
        gflop = 3.0 * frames * MEMBERS * member_gflop(spec, jnp.asarray(inputs[:1]))
        name = f"{spec.family}: train {MEMBERS} members, validation too"
        yield Line(name, "img/s", frames, chunk_of_training(short, inputs), repeats, gflop)


def chunk_of_training(spec: ModelSpec, inputs: np.ndarray) -> Callable[[], Any]:
    """The steps between two validations and one validation, as a training runs them."""
    grid = spec.grid
    presence = np.random.default_rng(1).random((ROWS, len(spec.classes), grid.rows, grid.columns)) < 0.03
    frames = LabeledFrames(inputs, presence.astype(np.uint8), np.arange(ROWS) % spec.training.validation_folds)
    unkept = NoCheckpoints()
    one_chunk = replace(spec, training=replace(spec.training, steps=spec.training.evaluate_every))
    family = family_named(spec.family)
    return lambda: vars(fit_ensemble(family, one_chunk, frames, seed=0, checkpoints=unkept, report=lambda _: None))


class NoCheckpoints:
    """Keeps nothing."""

    def restore(self, like: TrainState) -> None:
        """Nothing was kept."""

    def save(self, state: TrainState, *, last: bool) -> None:
        """Nothing is."""


def member_convolution_lines() -> Iterator[Line]:
    """Trap: a convolution vmapped over members' kernels and activations becomes a grouped one."""
    x, kernels = convolution_case(MEMBERS)
    one = partial(convolve, stride=1, gradient="library")
    forms: dict[str, Callable[..., Any]] = {
        "vmap": lambda pairs: jax.vmap(one)(*pairs),
        "lax.map": partial(jax.lax.map, lambda pair: one(*pair)),
        "unrolled": lambda pairs: jnp.stack([one(*pair) for pair in zip(*pairs, strict=True)]),
    }
    work = convolution_gflop(x, kernels[0])
    for name, form in forms.items():
        run = partial(jax.jit(form), (x, kernels))
        yield Line(f"forward, 8 kernels, {name}", "GFLOP/s", work, run, gflop=work)


def scanned_gradient_lines() -> Iterator[Line]:
    """Trap: the gradient of a library convolution inside `lax.scan` loses its fast path."""
    (x,), (kernel,) = convolution_case(1)

    def slope(kernel: jax.Array, gradient: Gradient) -> jax.Array:
        squares = lambda kernel: jnp.sum(convolve(x, kernel, stride=1, gradient=gradient) ** 2)  # noqa: E731
        return jax.grad(squares)(kernel)

    def scanned(kernel: jax.Array, gradient: Gradient) -> jax.Array:
        return jax.lax.scan(lambda k, _: (k - 1e-6 * slope(k, gradient), None), kernel, None, length=2)[0]

    work = 2 * convolution_gflop(x, kernel)
    for name, run, gradient, steps in (
        ("library, outside scan", slope, "library", 1),
        ("library, inside scan", scanned, "library", 2),
        ("products, inside scan", scanned, "products", 2),
    ):
        compiled = partial(jax.jit(run, static_argnums=1), kernel, gradient)
        yield Line(f"kernel gradient, {name}", "GFLOP/s", steps * work, compiled, gflop=steps * work)


def convolution_case(members: int) -> tuple[jax.Array, jax.Array]:
    keys = jax.random.split(jax.random.key(0))
    return jax.random.normal(keys[0], (members, BATCH, 30, 40, 32)), jax.random.normal(keys[1], (members, 3, 3, 32, 32))


def convolution_gflop(x: jax.Array, kernel: jax.Array) -> float:
    return 2.0 * x.size * kernel.size / kernel.shape[2] / 1e9


def timed(run: Callable[[], Any], repeats: int) -> Timing:
    start = time.perf_counter()
    jax.block_until_ready(run())
    first = time.perf_counter() - start
    passed, processor = [], []
    for _ in range(repeats):
        start, busy = time.perf_counter(), time.process_time()
        jax.block_until_ready(run())
        passed.append(time.perf_counter() - start)
        processor.append(time.process_time() - busy)
    return Timing(min(passed), float(np.median(passed)), min(processor), first)


def peak() -> Timing:
    """One square float32 matrix product, large enough that nothing is faster on this machine."""
    matrix = jnp.asarray(np.random.default_rng(0).standard_normal((PEAK_SIZE, PEAK_SIZE)), jnp.float32)
    product = jax.jit(lambda matrix: matrix @ matrix)
    return timed(lambda: product(matrix), 10)


def row(line: Line) -> str:
    """The line of the table that `line` gives, with its share of the product measured just before."""
    whole = peak()
    timing = timed(line.run, line.repeats)
    share = ""
    if line.gflop is not None:
        share = f"{line.gflop / timing.processor / (PEAK_GFLOP / whole.processor):7.0%}"
    rates = f"{line.work / timing.best:10.1f}{line.work / timing.median:10.1f} {line.unit:9}"
    return f"{line.name:50}{rates}{share:>8}{timing.first:9.1f}\n"


def main() -> None:
    whole = peak()
    sys.stdout.write(
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, load"
        f" {os.getloadavg()[0]:.1f}, jax {jax.__version__} on {jax.default_backend()}, float32 product"
        f" {PEAK_GFLOP / whole.best:.0f} GFLOP/s, {PEAK_GFLOP / whole.processor:.0f} a busy core\n"
        f"{'':50}{'best':>10}{'median':>10}{'':10}{'of peak':>8}{'first, s':>9}\n"
    )
    for lines in (
        scoring_lines,
        training_lines,
        member_convolution_lines,
        scanned_gradient_lines,
        lite0_lines,
    ):
        for line in lines():
            sys.stdout.write(row(line))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
