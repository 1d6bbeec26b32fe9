"""Making a selection again from what it was made from, and comparing."""

from itertools import zip_longest

from al_platform.catalog import rounds as round_catalog
from al_platform.catalog.datasets import pool_table
from al_platform.catalog.selections import selection_of
from al_platform.catalog.tasks import tasks_of
from al_platform.domain.environment import environment
from al_platform.domain.labels import LabelTask
from al_platform.domain.rounds import Round
from al_platform.domain.selections import SelectionRecord
from al_platform.loop.context import LoopContext
from al_platform.loop.exclusions import read_exclusions
from al_platform.loop.guarding import read_guard
from al_platform.loop.selecting import Selected, digest_of, inputs_of, select_items


def verify_selection(context: LoopContext, round_id: str) -> list[str]:
    """Give how a round's tasks differ from those that its stored inputs lead to, the first difference first.

    Empty where they are equal in item, class, rank and score. What has become of a task since plays no part.

    Raises: NotFound for a round that has selected nothing or a blob that is gone, CorruptBlob for one that changed.
    """
    with context.catalog.transaction() as tx:
        round_ = round_catalog.round_named(tx, round_id)
        record = selection_of(tx, round_id)
        stored = tasks_of(tx, round_id)
        inputs = inputs_of(tx, round_)
    changed = [
        f"{name}: selected from {_brief(getattr(record, name))}, the catalog now has {_brief(value)}"
        for name, value in inputs.items()
        if getattr(record, name) != value
    ]
    if changed:
        return changed
    return _compared(record, stored, _selected_again(context, round_, record))


def _selected_again(context: LoopContext, round_: Round, record: SelectionRecord) -> Selected:
    with context.catalog.transaction() as tx:
        pool = pool_table(tx, context.blobs, round_.spec.pool_id)
    guard = read_guard(context.blobs, record.guard_hash) if record.guard_hash else None
    return select_items(context, round_, pool, read_exclusions(context.blobs, record.exclusions_hash), guard=guard)


def _compared(record: SelectionRecord, stored: list[LabelTask], again: Selected) -> list[str]:
    found = [_difference(*pair) for pair in zip_longest(stored, again.tasks)]
    differences = [difference for difference in found if difference]
    if again.allowed_hash != record.allowed_hash:
        differences.append("allowed rows: other items of the pool can be picked now than could then")
    if digest_of(again.tasks) != record.picks_hash:
        differences.append(f"picks: {digest_of(again.tasks)} now, {record.picks_hash} when they were selected")
    return differences + [_other_code(record)] * (bool(differences) and record.environment != environment())


def _difference(stored: LabelTask | None, again: LabelTask | None) -> str:
    if stored is None or again is None:
        only, side = (again, "selection anew") if stored is None else (stored, "tasks")
        return f"rank {only.rank}: {_shown(only)} only in the {side}" if only else ""
    same = [getattr(stored, name) == getattr(again, name) for name in ("item_id", "for_class", "rank", "score")]
    if all(same):
        return ""
    return f"rank {again.rank}: task {stored.task_id} holds {_shown(stored)}, selected anew {_shown(again)}"


def _shown(task: LabelTask) -> str:
    return f"{task.item_id} for {task.for_class} at rank {task.rank} with score {task.score!r}"


def _brief(value: object) -> str:
    return value if isinstance(value, str) else repr(value)


def _other_code(record: SelectionRecord) -> str:
    now = environment()
    changed = [
        f"{name} {then} then, {now.get(name)} now" for name, then in record.environment.items() if now.get(name) != then
    ]
    return f"code: {', '.join(changed)}"
