import threading
from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sim.learning.apart import Course, Judgement, Places, Run, Update, begun, practise
from sim.learning.improving import Actors, ImproveSpec, iterate, start
from sim.learning.state import OptimiserSpec
from tests.sim.learning.scenes import DRIVE, NETWORK, learner, store

pytestmark = pytest.mark.long

OPTIMISER = OptimiserSpec(learning_rate=2e-3, warm_up=2)
SPEC = ImproveSpec(scenes=4, sequence=4, parts=2, optimiser=OPTIMISER)
CHANCE = jnp.ones(8) / 8
KEY = jax.random.key(9)
HERE = Places(acting=(jax.devices()[0],), learning=(jax.devices()[0],))


def beginning() -> Actors:
    return start(store(), CHANCE, jax.random.key(5), spec=SPEC, drive=DRIVE)


def practised(run: Run, places: Places, *, updates: int, **what: Any) -> list[Update]:
    """Go on with a run, and give its updates."""
    course = Course(store(), CHANCE, what.pop("held_out", None))
    seen: list[Update] = []
    how = {"network": NETWORK, "spec": SPEC, "drive": DRIVE, "updated": seen.append, **what}
    last = practise(run, course, KEY, updates=updates, places=places, **how)
    assert not seen or last is seen[-1].run
    return seen


def kept(run: Run) -> Run:
    """A run as it comes back from a checkpoint: numbers alone."""
    leaves, shape = jax.tree.flatten(run)
    back: Run = jax.tree.unflatten(shape, [jnp.asarray(np.asarray(leaf)) for leaf in leaves])
    return back


def assert_same(one: Any, other: Any) -> None:
    for left, right in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        np.testing.assert_array_equal(left, right)


def test_without_delay_actors_and_learners_make_the_numbers_of_the_one_program() -> None:
    places = replace(HERE, behind=0)
    apart = practised(begun(learner(OPTIMISER), [beginning()], places=places), places, updates=3)
    made, actors = learner(OPTIMISER), beginning()
    for number, update in enumerate(apart):
        key = jax.random.fold_in(KEY, number)
        made, actors, terms = iterate(made, actors, store(), CHANCE, key, network=NETWORK, spec=SPEC, drive=DRIVE)
        assert update.terms["most_staleness"] == 0.0
        for name, value in terms.items():
            np.testing.assert_array_equal(update.terms[name], value)
    assert_same((apart[-1].run.learner, apart[-1].run.actors), (made, (actors,)))


def test_one_version_behind_a_run_goes_on_exactly_from_what_was_kept() -> None:
    places = replace(HERE, behind=1, queue=2)
    fresh = begun(learner(OPTIMISER), [beginning()], places=places)
    whole = practised(fresh, places, updates=5)
    assert [update.terms["staleness"] for update in whole] == [0.0, 1.0, 1.0, 1.0, 1.0]
    gone_on = practised(kept(whole[1].run), places, updates=3)
    assert [update.terms for update in gone_on] == [update.terms for update in whole[2:]]
    assert_same(gone_on[-1].run, whole[-1].run)
    assert_same((whole[-1].run.driven, whole[-1].run.version), ([5], 5))


def test_with_the_newest_parameters_staleness_is_at_most_the_queue_and_one() -> None:
    found: list[Judgement] = []
    before = threading.active_count()
    run = begun(learner(OPTIMISER), [beginning()], places=HERE)
    held_out = jax.tree.map(lambda leaf: leaf[:4], store())
    updates = practised(run, HERE, updates=6, held_out=held_out, judged=found.append)
    assert threading.active_count() == before
    assert all(0.0 <= update.terms["staleness"] <= update.terms["most_staleness"] <= 2.0 for update in updates)
    versions = [judgement.version for judgement in found]
    assert versions == sorted(set(versions))
    assert versions[-1] == 6
    assert all(0.0 <= one.failure <= 1.0 and np.isfinite(one.progress) for one in found)


def test_of_several_actors_each_goes_on_from_what_was_learned_of_it() -> None:
    places = replace(HERE, acting=HERE.acting * 2, queue=2)
    run = begun(learner(OPTIMISER), [beginning()] * 2, places=places)
    for update in practised(run, places, updates=6):
        assert int(np.sum(update.run.driven)) == int(update.run.version)
    driven = practised(kept(update.run), places, updates=2)[-1].run.driven
    assert int(np.sum(driven)) == 8
    assert (np.asarray(driven) >= update.run.driven).all()


def test_an_actor_that_fails_ends_the_run_with_its_error() -> None:
    before = threading.active_count()
    run = begun(learner(OPTIMISER), [beginning()], places=HERE)
    with pytest.raises(ValueError, match="60 steps: the scenarios have room for 1 to 59"):
        practised(run, HERE, updates=2, spec=replace(SPEC, sequence=60))
    assert threading.active_count() == before


def test_a_run_that_is_stopped_leaves_no_thread_behind() -> None:
    before = threading.active_count()

    def enough(update: Update) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        practised(begun(learner(OPTIMISER), [beginning()], places=HERE), HERE, updates=6, updated=enough)
    assert threading.active_count() == before


def test_what_does_not_fit_is_refused() -> None:
    run = begun(learner(OPTIMISER), [beginning()], places=HERE)
    empty = jax.tree.map(lambda leaf: leaf[:0], store())
    with pytest.raises(ValueError, match="a run of 1 actors on 2 acting devices"):
        practised(run, replace(HERE, acting=HERE.acting * 2), updates=1)
    with pytest.raises(ValueError, match="keeps 0 older versions, to go on 1 behind"):
        practised(run, replace(HERE, behind=1), updates=1)
    with pytest.raises(ValueError, match="no held-out scene"):
        practised(run, HERE, updates=1, held_out=empty)
