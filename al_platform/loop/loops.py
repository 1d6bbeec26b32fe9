"""Loops: rounds in a row, each training on what the one before appended."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from al_platform.catalog.loops import add_loop
from al_platform.domain.clock import utc_now
from al_platform.domain.ids import make_id
from al_platform.domain.loops import LoopSpec
from al_platform.domain.rounds import Round, RoundState
from al_platform.loop.context import LoopContext
from al_platform.loop.kinds import kind_of
from al_platform.loop.rounds import run_round, submit_round
from al_platform.loop.train import TrainOutcome


def loop_id_of(spec: LoopSpec) -> str:
    """Name a loop by what it begins with: starting it again, for more rounds too, goes on with it."""
    return make_id("loop", spec.first, spec.name)


def run_loop(context: LoopContext, spec: LoopSpec) -> Iterator[Round]:
    """Run the rounds of a loop and yield each as it ends; stops early at a round that waits for labels.

    Rounds that an earlier run finished are found, not run again. Triggers and stopping rules are kept by the service
    alone: here one round follows the other on the pool of the first.
    """
    loop_id = loop_id_of(spec)
    with context.catalog.transaction() as tx:
        add_loop(tx, loop_id, spec, now=utc_now())
    next_spec = spec.first
    for _ in count() if spec.rounds is None else range(spec.rounds):
        round_ = run_round(context, submit_round(context, next_spec, loop_id=loop_id))
        yield round_
        if round_.state is not RoundState.APPENDED or round_.dataset_version_id is None:
            return
        next_spec = replace(next_spec, dataset_version_id=round_.dataset_version_id)


def train_on_last(context: LoopContext, spec: LoopSpec, last: Round) -> TrainOutcome:
    """Train and measure what the last round appended, so that its labels count too."""
    version = last.dataset_version_id or spec.first.dataset_version_id
    wanted = replace(spec.first, dataset_version_id=version)
    return kind_of(wanted.model).train(context, wanted)
