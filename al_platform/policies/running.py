"""A course from its first step, or its newest checkpoint, to its end: stretch after stretch, with a learning curve."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from al_platform.domain.policies import CurvePoint
from al_platform.domain.progress import Pace, Progress, ReportProgress
from al_platform.errors import Stopped, TrainingDiverged
from al_platform.policies.course import Course, CourseState
from al_platform.policies.curve import Curve, GrowingCurve, finite
from al_platform.storage.checkpoints import OrbaxCheckpoints
from sim.networks import Parameters

STAGE = "train"

Measure = Callable[[Parameters], Mapping[str, float]]
TellDiverged = Callable[[int, list[str]], str]
"""Keeps at which step and on which scenarios numbers ceased to be finite; gives where."""


@dataclass(frozen=True)
class _Leaves:
    """A state as its arrays in order: all that a checkpoint needs to know of it."""

    step: Any
    leaves: Mapping[str, Any]


@dataclass(frozen=True)
class Kept:
    """Where a training that is under way keeps what it came to."""

    checkpoints: OrbaxCheckpoints
    curve: GrowingCurve

    def restored(self, begun: CourseState) -> CourseState:
        """Give the newest state, `begun` where none was kept.

        Raises: CorruptBlob where its files were damaged.
        """
        found = self.checkpoints.restore(_leaves_of(begun))
        if found is None:
            return begun
        leaves = [found.leaves[name] for name in sorted(found.leaves)]
        state: CourseState = jax.tree.unflatten(jax.tree.structure(begun), leaves)
        return state

    def save(self, state: CourseState, *, now: bool = False) -> None:
        """Keep a state where the last was kept long enough ago, or now.

        Raises: StorageUnavailable when the disk is full or read-only; the last state stays whole.
        """
        self.checkpoints.save(_leaves_of(state), last=False, stopping=now)

    def clear(self) -> None:
        """Forget it all: the result is kept elsewhere."""
        self.checkpoints.clear()
        self.curve.clear()


def run_course(
    course: Course,
    parameters: Parameters,
    *,
    kept: Kept,
    measure: Measure,
    diverged: TellDiverged,
    report: ReportProgress,
) -> tuple[CourseState, Curve]:
    """Take every step of a course; a killed one goes on from its checkpoint and comes to the same numbers.

    The curve has a point before the first step, one after every `evaluate_every`, and one at the end.

    Raises: TrainingDiverged naming the step where a loss or gradient is not finite; StorageUnavailable for a full
        disk, with the last checkpoint intact; Stopped where `report` does, after the state was kept.
    """
    begun = course.begun(parameters)
    state = kept.restored(begun)
    curve = kept.curve.read().until(int(state.step))
    watch = _Watch(course.steps, report)
    if not curve.points:
        curve = _with_point(curve, state, {}, measure=measure, kept=kept)
    while (step := int(state.step)) < course.steps:
        try:
            watch.tell(state, curve)
        except Stopped:
            kept.save(state, now=True)
            raise
        # A restored step lies on the border of a stretch: states are kept between stretches alone.
        after, terms = course.go_on(state, min(course.stretch, course.steps - step))
        _require_finite(course, state, terms, diverged)
        state = after
        watch.hear(terms)
        if int(state.step) % course.evaluate_every == 0 or int(state.step) >= course.steps:
            curve = _with_point(curve, state, terms, measure=measure, kept=kept)
            kept.save(state, now=True)
        else:
            kept.save(state)
    watch.tell(state, curve)
    return state, curve


def _leaves_of(state: CourseState) -> _Leaves:
    leaves = jax.tree.leaves(state)
    return _Leaves(jnp.asarray(state.step), {f"{number:04d}": jnp.asarray(leaf) for number, leaf in enumerate(leaves)})


def _with_point(
    curve: Curve, state: CourseState, terms: Mapping[str, NDArray[Any]], *, measure: Measure, kept: Kept
) -> Curve:
    """Terms are those of one stretch, so that a curve does not tell where a training was interrupted."""
    means = finite((name, float(values.mean())) for name, values in terms.items())
    point = CurvePoint(int(state.step), state.agent_steps, measure(state.learners.learned), means)
    longer = curve.with_point(point)
    kept.curve.write(longer)
    return longer


def _require_finite(
    course: Course, before: CourseState, terms: Mapping[str, NDArray[Any]], diverged: TellDiverged
) -> None:
    """Raises: TrainingDiverged."""
    bad = np.flatnonzero((terms["finite"] < 1.0).any(axis=0))
    if bad.size:
        step = int(before.step) + int(bad[0])
        where = diverged(step, course.scenario_ids(before))
        raise TrainingDiverged(
            f"step {step}: the loss or its gradient is not a finite number; the scenarios of that batch are listed in "
            f"{where}. Take a lower learning rate, or leave out the scenario whose numbers are broken"
        )


class _Watch:
    """Tells how far a course is, how fast it learns, and what it last came to."""

    def __init__(self, steps: int, report: ReportProgress) -> None:
        self._steps, self._report, self._pace = steps, report, Pace()
        self._loss = math.nan

    def hear(self, terms: Mapping[str, NDArray[Any]]) -> None:
        self._loss = float(terms["loss"].mean())

    def tell(self, state: CourseState, curve: Curve) -> None:
        """Raises: Stopped where the listener does."""
        words = [] if math.isnan(self._loss) else [f"loss {self._loss:.3f}"]
        newest = curve.points[-1].measures if curve.points else {}
        words += [
            f"{word} {100.0 * newest[name]:.1f} %"
            for name, word in (("failure", "failures"), ("progress_ratio", "progress"))
            if name in newest
        ]
        words.append(f"{state.agent_steps:,} steps")
        step = int(state.step)
        left = self._pace.seconds_left(step, self._steps)
        self._report(Progress(STAGE, step, self._steps, ", ".join(words), left))
