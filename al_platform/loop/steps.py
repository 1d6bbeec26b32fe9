"""The steps of a round. Each computes, stores write-once artifacts, and says what to commit in one transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from al_platform.catalog import datasets as dataset_catalog
from al_platform.catalog import models as model_catalog
from al_platform.catalog import tasks as task_catalog
from al_platform.catalog.annotations import labels_of_round
from al_platform.catalog.answers import read_until
from al_platform.catalog.connection import Transaction
from al_platform.catalog.frames import frames_by_id
from al_platform.domain.clock import utc_now
from al_platform.domain.ids import make_id
from al_platform.domain.labels import LabelTask, TaskState
from al_platform.domain.rounds import Round, RoundState
from al_platform.errors import InvalidInput
from al_platform.loop.checks import tool_named
from al_platform.loop.collecting import collect_until_paid, keep_collected, still_out, waiting_message
from al_platform.loop.context import LoopContext
from al_platform.loop.models import (
    ensure_encoder,
    frame_records,
    image_hashes,
    load_ensemble,
)
from al_platform.loop.rows import PoolRows
from al_platform.loop.scoring import FORMULA, score_frames, write_scores
from al_platform.loop.strategies import Picks, PoolView, strategy_named
from al_platform.loop.train import train_round
from al_platform.loop.view import pool_view
from al_platform.models.families import family_named
from al_platform.training.inputs import Unreadable

Outputs = Mapping[str, str | int | float]
"""What a step gave, by name: ids, counts, and the reason why a frame could not be used."""


@dataclass(frozen=True)
class StepResult:
    """A finished step: the round as it is now, what the step gave, and what to write in the same transaction."""

    round: Round
    outputs: Outputs
    cached: bool = False
    commit: Callable[[Transaction], None] = lambda tx: None


def train_step(context: LoopContext, round_: Round) -> StepResult:
    """TRAIN: an ensemble on the round's dataset version, measured on the frozen test set where there is one."""
    trained = train_round(context, round_.spec)
    return StepResult(
        replace(round_, state=RoundState.TRAINED, ensemble_id=trained.ensemble_id),
        {"ensemble_id": trained.ensemble_id, "labelled_frames": trained.labelled_frames},
        cached=trained.cached,
    )


def score_step(context: LoopContext, round_: Round) -> StepResult:
    """QUERY: the ensemble's disagreement on every frame of the pool; passed over where the strategy reads no score."""
    spec = round_.spec
    if not strategy_named(spec.strategy.name).needs_scores:
        return StepResult(replace(round_, state=RoundState.SCORED), {"scored_frames": 0})
    score_id = make_id("scr", round_.ensemble_id, spec.pool_id, FORMULA)
    scored = replace(round_, state=RoundState.SCORED, score_id=score_id)
    with context.catalog.transaction() as tx:
        if model_catalog.score_blob(tx, score_id) is not None:
            return StepResult(scored, {"score_id": score_id}, cached=True)
        pool = dataset_catalog.pool_frames(tx, context.blobs, spec.pool_id)
        ensemble = model_catalog.ensemble_named(tx, round_.ensemble_id or "")
        images = image_hashes(frames_by_id(tx, pool))
    records = frame_records(context, spec.model, ensure_encoder(context, spec.model, spec.pool_id))
    unreadable = records.ensure(images, context.report)
    readable = [frame_id for frame_id in pool if frame_id not in unreadable]
    if not readable:
        raise InvalidInput(f"pool {spec.pool_id}: none of its {len(pool)} frames can be read")
    measures = score_frames(
        family_named(spec.model.family),
        spec.model,
        load_ensemble(context, ensemble),
        records=records,
        frame_ids=readable,
        report=context.report,
    )
    blob_hash = write_scores(context.blobs, measures, readable, spec.model.classes)

    def commit(tx: Transaction) -> None:
        model_catalog.add_score_set(
            tx,
            score_id,
            ensemble_id=ensemble.ensemble_id,
            pool_id=spec.pool_id,
            blob_hash=blob_hash,
            frames=len(readable),
            formula=FORMULA,
            now=utc_now(),
        )

    outputs: Outputs = {"score_id": score_id, "scored_frames": len(readable), **_reasons(unreadable)}
    return StepResult(scored, outputs, commit=commit)


def select_step(context: LoopContext, round_: Round) -> StepResult:
    """SELECT: the strategy's picks become tasks in the round's queue, best first."""
    rows, view, unseen = pool_view(context, round_)
    picks, unreadable = _readable_picks(context, round_, rows, view)
    tasks = _tasks(round_, rows, picks)

    def commit(tx: Transaction) -> None:
        task_catalog.add_tasks(tx, tasks, queue=round_.spec.queue)

    outputs: Outputs = {"selected_frames": len(tasks), **_reasons(unseen), **_reasons(unreadable)}
    return StepResult(replace(round_, state=RoundState.SELECTED), outputs, commit=commit)


def send_step(context: LoopContext, round_: Round) -> StepResult:
    """SEND: the tasks go to the labelling tool; sending them again asks nobody twice."""
    with context.catalog.transaction() as tx:
        tasks = task_catalog.tasks_of(tx, round_.round_id)
    tool_named(context, round_.spec.annotator).send(tasks)

    def commit(tx: Transaction) -> None:
        task_catalog.set_task_states(tx, [task.task_id for task in tasks], TaskState.SENT)

    return StepResult(replace(round_, state=RoundState.SENT), {"sent_frames": len(tasks)}, commit=commit)


def collect_step(context: LoopContext, round_: Round) -> StepResult:
    """ANNOTATE: take in the labels. The round stays SENT, and says so, while any are still out."""
    with context.catalog.transaction() as tx:
        tasks, since = task_catalog.tasks_of(tx, round_.round_id), read_until(tx, round_.round_id)
    collected = collect_until_paid(context, round_, tasks, since=since)
    out, states = still_out(tasks, collected), {task.task_id: task.state for task in tasks} | collected.states
    outputs = {f"{state.value}_frames": list(states.values()).count(state) for state in sorted(set(states.values()))}

    def commit(tx: Transaction) -> None:
        keep_collected(tx, collected)

    if out:
        message = waiting_message(collected, out=len(out), of=len(tasks))
        return StepResult(replace(round_, message=message), {**outputs, "waiting": len(out)}, commit=commit)
    return StepResult(replace(round_, state=RoundState.LABELED), outputs, commit=commit)


def append_step(context: LoopContext, round_: Round) -> StepResult:
    """APPEND: a new dataset version, the old one plus the labels of this round."""
    spec = round_.spec
    with context.catalog.transaction() as tx:
        version = dataset_catalog.add_version(
            tx,
            context.blobs,
            parent_id=spec.dataset_version_id,
            additions=labels_of_round(tx, round_.round_id),
            purpose="train",
            round_id=round_.round_id,
            now=utc_now(),
        )
    appended = replace(round_, state=RoundState.APPENDED, dataset_version_id=version.version_id)
    return StepResult(appended, {"dataset_version_id": version.version_id, "added": version.added})


STEPS: Mapping[RoundState, tuple[str, Callable[[LoopContext, Round], StepResult]]] = {
    RoundState.PLANNED: ("train", train_step),
    RoundState.TRAINED: ("score", score_step),
    RoundState.SCORED: ("select", select_step),
    RoundState.SELECTED: ("send", send_step),
    RoundState.SENT: ("collect", collect_step),
    RoundState.LABELED: ("append", append_step),
}
"""State of a round to the step that comes next."""


def _readable_picks(context: LoopContext, round_: Round, rows: PoolRows, view: PoolView) -> tuple[Picks, Unreadable]:
    """The strategy's picks; a picked frame that cannot be read leaves the pool, and the strategy picks anew."""
    spec, lost = round_.spec, Unreadable()
    records = frame_records(context, spec.model, ensure_encoder(context, spec.model, spec.pool_id))
    while True:
        picks = strategy_named(spec.strategy.name).pick(view, _frames_to_pick(round_, view.available))
        with context.catalog.transaction() as tx:
            images = image_hashes(frames_by_id(tx, rows.ids_of(picks[0])))
        unreadable = records.ensure(images, context.report)
        if not unreadable:
            return picks, lost
        lost.update(unreadable)
        view = replace(view, available=view.available & ~rows.mask_of(unreadable))


def _reasons(unreadable: Unreadable) -> dict[str, str]:
    return {f"unreadable {frame_id}": reason for frame_id, reason in unreadable.items()}


def _frames_to_pick(round_: Round, available: NDArray[Any]) -> int:
    wanted, there = round_.spec.budget.frames, int(available.sum())
    if there == 0:
        raise InvalidInput(
            f"pool {round_.spec.pool_id}: every frame is labelled, queued or unreadable; ingest more frames"
        )
    return min(wanted, there)


def _tasks(round_: Round, rows: PoolRows, picks: Picks) -> list[LabelTask]:
    picked, classes, scores = picks
    return [
        LabelTask(
            task_id=make_id("tsk", round_.round_id, frame_id),
            round_id=round_.round_id,
            frame_id=frame_id,
            for_class=round_.spec.targets[int(class_index)],
            rank=rank,
            score=float(score),
        )
        for rank, (frame_id, class_index, score) in enumerate(zip(rows.ids_of(picked), classes, scores, strict=True))
    ]
