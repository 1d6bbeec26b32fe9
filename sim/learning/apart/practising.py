"""The learners' side: one update after the other, made of what the actors deliver.

Axes: T steps of a sequence, B scenes of an actor, L learners.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from queue import SimpleQueue
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jaxtyping import Array, Int32, PRNGKeyArray

from sim.learning.apart.exchange import Exchange, Over
from sim.learning.apart.records import Course, Judgement, Places, Run, Update, check_fit
from sim.learning.apart.threads import Batch, Program, actors_of, judge, judgement
from sim.learning.improving import ImproveSpec, Sequences, learn
from sim.learning.state import Learner, Terms
from sim.networks import NetworkSpec, Parameters
from sim.rolling import RolloutSpec

_AXIS = "learners"


def practise(
    run: Run,
    course: Course,
    key: PRNGKeyArray,
    *,
    updates: int,
    places: Places,
    network: NetworkSpec,
    spec: ImproveSpec,
    drive: RolloutSpec,
    reference: Parameters | None = None,
    updated: Callable[[Update], None] = lambda _: None,
    judged: Callable[[Judgement], None] = lambda _: None,
) -> Run:
    """Make so many updates, of `spec.scenes` scenes from each actor. The last version is always judged.

    Batch n of actor a is driven and dealt with fold_in(key, n A + a): with one actor those are the keys of `iterate`.
    Each learner brings the advantages of its own batch to one scale. `updated` and `judged` are called in this
    thread; what they raise, as any error of another thread, ends all threads before it is raised here.

    Raises: ValueError where the run was not begun in such places, or there is no held-out scene.
    """
    check_fit(run, course, places)
    program = Program(network, spec, drive)
    mesh = Mesh(np.array(places.learning), (_AXIS,))
    learner, older, reference, key = jax.device_put(
        (run.learner, run.older, reference, key), NamedSharding(mesh, PartitionSpec())
    )
    run = replace(run, learner=learner, older=older)
    meeting = _meeting(run, places)
    judgements: SimpleQueue[Judgement] = SimpleQueue()
    jobs = actors_of(run, course, key, meeting, places=places, program=program)
    if course.held_out is not None:
        jobs.append(partial(judge, course.held_out, meeting, judgements.put, places=places, program=program))
    last = -1
    with _at_work(jobs, meeting):
        for _ in range(updates):
            run, terms = _updated(run, meeting.collect(), key, reference, mesh=mesh, program=program)
            meeting.publish(int(run.version), _one_copy(run.learner.parameters), learned=_one_copy(run.learner.learned))
            updated(Update(run, terms))
            last = _passed_on(judgements, judged, last)
    last = _passed_on(judgements, judged, last)
    if course.held_out is not None and last != int(run.version):
        learned = _one_copy(run.learner.learned)
        judged(judgement(course.held_out, learned, int(run.version), places=places, program=program))
    return run


def _meeting(run: Run, places: Places) -> Exchange[Batch]:
    """An exchange with all versions that actors are still to drive with."""
    behind, version = places.behind or 0, int(run.version)
    meeting: Exchange[Batch] = Exchange(learners=len(places.learning), room=places.queue, kept=behind)
    for age, parameters in zip(range(behind, 0, -1), run.older, strict=True):
        meeting.publish(max(version - age, 0), _one_copy(parameters))
    meeting.publish(version, _one_copy(run.learner.parameters), learned=_one_copy(run.learner.learned))
    return meeting


def _one_copy(parameters: Parameters) -> Parameters:
    """The first learner's own. Threads that take apart one array of several devices at once get in each other's way."""
    own: Parameters = jax.tree.map(lambda leaf: leaf.addressable_shards[0].data, parameters)
    return own


@contextmanager
def _at_work(jobs: Sequence[Callable[[], None]], meeting: Exchange[Batch]) -> Iterator[None]:
    """Run each job in a thread of its own; all have ended when this ends, and the first error is raised."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        threads = [pool.submit(job) for job in jobs]
        for thread in threads:
            thread.add_done_callback(lambda _: meeting.close())
        try:
            yield
        except Over:
            pass  # A thread has ended, and tells below why.
        finally:
            meeting.close()
    for thread in threads:
        thread.result()


def _passed_on(judgements: "SimpleQueue[Judgement]", judged: Callable[[Judgement], None], last: int) -> int:
    """Tell what was judged meanwhile. Gives the version that was judged last."""
    while not judgements.empty():
        found = judgements.get()
        judged(found)
        last = found.version
    return last


def _updated(
    run: Run, batches: list[Batch], key: PRNGKeyArray, reference: Parameters | None, *, mesh: Mesh, program: Program
) -> tuple[Run, dict[str, float]]:
    """The run after one update from a batch for each learner."""
    numbers = np.array([batch.number for batch in batches], np.int32)
    learner, terms = _learn_together(
        run.learner,
        _side_by_side([batch.lived for batch in batches], mesh),
        jax.device_put(numbers, NamedSharding(mesh, PartitionSpec(_AXIS))),
        key,
        reference,
        mesh=mesh,
        program=program,
    )
    # What is published is there: an actor drives with the version before rather than wait for this one.
    jax.block_until_ready(learner)
    actors, driven = list(run.actors), np.array(run.driven)
    for batch in batches:
        actors[batch.actor] = batch.after
        driven[batch.actor] += 1
    older = (*run.older, run.learner.parameters)[1:] if run.older else ()
    after = Run(learner, tuple(actors), driven, np.asarray(run.version + 1, np.int32), older)
    return after, _terms(terms, batches, int(run.version))


def _terms(learned: Terms, batches: list[Batch], version: int) -> dict[str, float]:
    """Terms of an update: what was learned, what was lived through by all actors, and how old it was."""
    lived = [jax.device_get(batch.terms) for batch in batches]
    steps = np.array([float(terms["steps"]) for terms in lived])
    reward = np.array([float(terms["reward"]) for terms in lived])
    ages = [version - batch.version for batch in batches]
    return {
        **{name: float(value) for name, value in learned.items()},
        "steps": float(steps.sum()),
        "reward": float((steps * reward).sum() / max(steps.sum(), 1.0)),
        "failures": float(np.mean([terms["failures"] for terms in lived])),
        "staleness": float(np.mean(ages)),
        "most_staleness": float(max(ages)),
    }


def _side_by_side(parts: list[Sequences], mesh: Mesh) -> Sequences:
    """[T, L B], each learner's own part where it is."""
    where = NamedSharding(mesh, PartitionSpec(None, _AXIS))

    def joined(*leaves: Array) -> Array:
        steps, scenes, *rest = leaves[0].shape
        return jax.make_array_from_single_device_arrays((steps, scenes * len(leaves), *rest), where, list(leaves))

    whole: Sequences = jax.tree.map(joined, *parts)
    return whole


@partial(jax.jit, static_argnames=("mesh", "program"))
def _learn_together(
    learner: Learner,
    lived: Sequences,
    numbers: Int32[Array, "L"],
    key: PRNGKeyArray,
    reference: Parameters | None,
    *,
    mesh: Mesh,
    program: Program,
) -> tuple[Learner, Terms]:
    """The learning half of `iterate`, on every device of the mesh."""

    def one(learner: Learner, lived: Sequences, numbers: Any, key: Any, reference: Any) -> tuple[Learner, Terms]:
        _, learning = jax.random.split(jax.random.fold_in(key, numbers[0]))
        return learn(
            learner,
            lived,
            learning,
            network=program.network,
            counts=program.drive.actions.counts,
            spec=program.spec,
            reference=reference,
            axis=_AXIS,
        )

    same, apart = PartitionSpec(), PartitionSpec(_AXIS)
    inputs = (same, PartitionSpec(None, _AXIS), apart, same, same)
    together = jax.shard_map(one, mesh=mesh, in_specs=inputs, out_specs=(same, same), check_vma=False)
    result: tuple[Learner, Terms] = together(learner, lived, numbers, key, reference)
    return result
