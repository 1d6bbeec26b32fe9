"""The steps of a round. Each computes, stores write-once artifacts, and says what to commit in one transaction."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from al_platform.catalog import datasets as dataset_catalog
from al_platform.catalog import scores as score_catalog
from al_platform.catalog import tasks as task_catalog
from al_platform.catalog.annotations import labels_of_round
from al_platform.catalog.answers import read_until
from al_platform.catalog.connection import Transaction
from al_platform.catalog.selections import add_selection
from al_platform.domain.clock import utc_now
from al_platform.domain.jobs import Cost
from al_platform.domain.labels import TaskState
from al_platform.domain.rounds import Round, RoundState
from al_platform.errors import InvalidInput
from al_platform.loop.checks import tool_named
from al_platform.loop.collecting import collect_until_paid, keep_collected, still_out, take_back, waiting_message
from al_platform.loop.context import LoopContext
from al_platform.loop.exclusions import exclusions_now
from al_platform.loop.guarding import guard_now
from al_platform.loop.kinds import kind_of
from al_platform.loop.scores import job_of, score_pool
from al_platform.loop.selecting import record_of, select_items
from al_platform.loop.strategies import Reads, reads_of
from al_platform.models.records import Unreadable

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
    """TRAIN: an ensemble on the round's dataset version, measured on the frozen test set; or drivers."""
    trained = kind_of(round_.spec.model).train(context, round_.spec)
    return StepResult(
        replace(round_, state=RoundState.TRAINED, ensemble_id=trained.ensemble_id),
        {
            "ensemble_id": trained.ensemble_id,
            "labelled_frames": trained.labelled_frames,
            **({"training_id": trained.training_id} if trained.training_id else {}),
            **({"learning_curve": trained.curve} if trained.curve else {}),
            **_cost(trained.cost),
        },
        cached=trained.cached,
    )


def score_step(context: LoopContext, round_: Round) -> StepResult:
    """QUERY: the members' disagreement on every item of the pool; passed over where the strategy reads no score."""
    spec = round_.spec
    if reads_of(spec) is Reads.NOTHING:
        return StepResult(replace(round_, state=RoundState.SCORED), {"scored_frames": 0})
    with context.catalog.transaction() as tx:
        job = job_of(tx, context, spec, round_.ensemble_id or "")
        known = score_catalog.find_score_set(tx, job.score_id)
    scored = replace(round_, state=RoundState.SCORED, score_id=job.score_id)
    if known is not None:
        return StepResult(scored, {"score_id": job.score_id}, cached=True)
    scoring = score_pool(context, job)
    markers = scoring.markers
    unreadable = {item.item_id: item.reason for marker in markers for item in marker.unreadable}
    readable = job.frames - len(unreadable)
    if not readable:
        reason, what = markers[0].unreadable[0].reason, kind_of(spec.model).what
        raise InvalidInput(
            f"pool {spec.pool_id}: none of its {job.frames} {what}s can be read, the first because {reason}; put "
            f"them back, delete {job.folder} in {context.blobs.url}, then run the round again"
        )
    score_set = score_catalog.ScoreSet(
        job.score_id, round_.ensemble_id or "", spec.pool_id, frames=readable, formula=job.formula, created_at=utc_now()
    )

    def commit(tx: Transaction) -> None:
        score_catalog.add_score_set(tx, score_set, markers)

    outputs: Outputs = {
        "score_id": job.score_id,
        "scored_frames": readable,
        **_cost(scoring.cost),
        **_reasons(unreadable),
    }
    return StepResult(scored, outputs, commit=commit)


def select_step(context: LoopContext, round_: Round) -> StepResult:
    """SELECT: the strategy's picks become tasks in the round's queue, best first."""
    with context.catalog.transaction() as tx:
        pool = dataset_catalog.pool_table(tx, context.blobs, round_.spec.pool_id)
        exclusions = exclusions_now(tx, pool["item_id"], round_.spec.queue)
    limit = round_.spec.strategy.guard
    guard = guard_now(context, limit=limit) if limit is not None else None
    selected = select_items(context, round_, pool, exclusions, guard=guard)
    record = record_of(context, round_, selected, guard=guard)

    def commit(tx: Transaction) -> None:
        task_catalog.add_tasks(tx, selected.tasks, queue=round_.spec.queue)
        add_selection(tx, record, now=utc_now())

    counted = {"selected_frames": len(selected.tasks), "score_rows_read": selected.score_rows}
    guarded: Outputs = {"guard": guard.words, "guarded_scenarios": selected.guarded} if guard else {}
    outputs: Outputs = {**counted, **guarded, **_reasons(selected.unreadable)}
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
        every, since = task_catalog.tasks_of(tx, round_.round_id), read_until(tx, round_.round_id)
    tasks = [task for task in every if task.state is not TaskState.WITHDRAWN]
    collected = collect_until_paid(context, round_, tasks, since=since)
    take_back(context, round_, [task for task in tasks if task.task_id in collected.withdrawn])
    out, states = still_out(tasks, collected), {task.task_id: task.state for task in every} | collected.states
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


def _cost(cost: Cost | None) -> dict[str, int | float]:
    """What the job of a step took."""
    if cost is None:
        return {}
    return {"cpu_seconds": round(cost.cpu_seconds, 3), "peak_memory_bytes": cost.peak_memory_bytes}


def _reasons(unreadable: Unreadable) -> dict[str, str]:
    return {f"unreadable {frame_id}": reason for frame_id, reason in unreadable.items()}
