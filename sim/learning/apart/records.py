"""What a run with actors and learners apart is made of.

Axes: A actors, N scenes of the store.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np
from jaxtyping import Float, Int32

from sim.learning.improving import Actors
from sim.learning.state import Learner
from sim.networks import Parameters
from sim.scenario.record import Leaf, Scenario


@dataclass(frozen=True)
class Places:
    """Which devices act, learn and judge, and how far they may drift apart."""

    acting: tuple[jax.Device, ...]
    """One actor each; a device may be named more than once. Actor a serves learner a modulo their number."""
    learning: tuple[jax.Device, ...]
    """One learner each."""
    judging: jax.Device | None = None
    """Where held-out scenes are driven; the first acting device if None."""
    queue: int = 1
    """Batches that may wait for each learner."""
    behind: int | None = None
    """Versions between acting and learning, exactly; None for the newest parameters, however old they are by the
    time they are learned from."""
    judge_every: int = 1
    """Versions from one judgement to the next, at least."""

    def __post_init__(self) -> None:
        """Raises: ValueError for places that cannot work together."""
        actors, learners = len(self.acting), len(self.learning)
        if not self.learning or len(set(self.learning)) != learners:
            raise ValueError(f"learning on {self.learning}: name at least one device, and each once")
        if actors < learners:
            raise ValueError(f"{actors} actors for {learners} learners: each learner needs at least one")
        if self.behind is not None and (self.behind < 0 or actors != learners):
            raise ValueError(
                f"behind {self.behind} with {actors} actors for {learners} learners: "
                "must be None, or at least 0 with one actor for each learner"
            )
        if self.queue < 1 or self.judge_every < 1:
            raise ValueError(f"queue {self.queue}, judge_every {self.judge_every}: both must be at least 1")


def shared_out(devices: Sequence[jax.Device]) -> Places:
    """The first half of the devices acts, as many learn; a single device does both.

    Raises: ValueError without a device.
    """
    if not devices:
        raise ValueError("no device to act and to learn on: at least one is needed")
    half = len(devices) // 2
    return Places(acting=tuple(devices[:half] or devices), learning=tuple(devices[half : 2 * half] or devices))


@dataclass(frozen=True)
class Course:
    """What is driven."""

    store: Scenario
    """[N]"""
    chance: Float[Leaf, "N"]
    held_out: Scenario | None = None
    """Scenes to be judged by, driven greedily and whole; None to do without."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Run:
    """All that a run needs to go on: a pytree, to be kept as a checkpoint after any update.

    Batches that were driven but not yet learned from are no part of it. They are driven again: the same ones where
    `Places.behind` is a number, so that the run goes on exactly; otherwise by the newest version at that time.
    """

    learner: Learner
    actors: tuple[Actors, ...]
    """Each as it was after its last batch that was learned from."""
    driven: Int32[Leaf, "*m A"]
    """Batches of each actor that were learned from."""
    version: Int32[Leaf, "*m"]
    """Updates that the learners made together: what they publish is known by it."""
    older: tuple[Parameters, ...] = ()
    """The `behind` versions before the learner's own: actors are still to drive with them."""


def begun(learner: Learner, actors: Sequence[Actors], *, places: Places) -> Run:
    """A run before its first update; the actors are of `start`, one for each that acts, each with a key of its own."""
    older = (learner.parameters,) * (places.behind or 0)
    return Run(learner, tuple(actors), np.zeros(len(actors), np.int32), np.asarray(0, np.int32), older)


def check_fit(run: Run, course: Course, places: Places) -> None:
    """Refuse a run that other places left behind, and an empty suite.

    Raises: ValueError
    """
    if len(run.actors) != len(places.acting):
        raise ValueError(f"a run of {len(run.actors)} actors on {len(places.acting)} acting devices: must be as many")
    if len(run.older) != (places.behind or 0):
        raise ValueError(
            f"a run that keeps {len(run.older)} older versions, to go on {places.behind} behind: "
            "go on as it was begun, or begin a new one with its learner"
        )
    if course.held_out is not None and not course.held_out.log.states.shape[0]:
        raise ValueError("no held-out scene to be judged by: give at least one, or None")


@dataclass(frozen=True)
class Update:
    """What one update came to."""

    run: Run
    """After it."""
    terms: dict[str, float]
    """Those of `iterate`, and besides `staleness` and `most_staleness`: how many versions lay between the parameters
    that drove the batches and those that learned from them, on average over the learners and at most."""


@dataclass(frozen=True)
class Judgement:
    """How a version drives the held-out scenes."""

    version: int
    failure: float
    """Share of the scenes."""
    progress: float
    """Mean share of the recorded progress; NaN where no recording gets anywhere."""
