"""Corrections: what people changed after a round was appended becomes a new dataset version, never a changed one."""

from al_platform.catalog.annotations import all_labels_of_round, labels_of_round
from al_platform.catalog.answers import read_until
from al_platform.catalog.connection import Transaction
from al_platform.catalog.datasets import add_version, newest_version_of, version_items
from al_platform.catalog.tasks import tasks_of
from al_platform.domain.clock import utc_now
from al_platform.domain.datasets import DatasetVersion
from al_platform.domain.labels import TaskState
from al_platform.domain.rounds import Round, RoundState
from al_platform.errors import InvalidInput
from al_platform.loop.checks import tool_named
from al_platform.loop.collecting import Collected, keep_collected
from al_platform.loop.context import LoopContext


def take_corrections(context: LoopContext, round_: Round, *, onto: str = "") -> DatasetVersion | None:
    """Read what changed in the labels of an appended round; give the version that has the changes, None for none.

    `onto` is the version to correct, for example one that a later round grew from this round's; by default the
    newest that this round made.

    Raises: InvalidInput for a round that is not appended yet, LabelingUnavailable where the tool is.
    """
    if round_.state is not RoundState.APPENDED:
        raise InvalidInput(f"round {round_.round_id}: is {round_.state}; run it again, which takes in every change")
    with context.catalog.transaction() as tx:
        tasks, since = tasks_of(tx, round_.round_id), read_until(tx, round_.round_id)
    tasks = [task for task in tasks if task.state is not TaskState.WITHDRAWN]
    collected = Collected(tuple(tool_named(context, round_.spec.annotator).collect(tasks, since=since)))
    with context.catalog.transaction() as tx:
        keep_collected(tx, collected)
        return _corrected(tx, context, round_.round_id, onto or newest_version_of(tx, round_.round_id))


def _corrected(tx: Transaction, context: LoopContext, round_id: str, parent_id: str) -> DatasetVersion | None:
    known = {item.item_id: item.annotation_id for item in version_items(tx, context.blobs, parent_id)}
    own = all_labels_of_round(tx, round_id)
    stands = {item.item_id: item for item in labels_of_round(tx, round_id)}
    changed = [
        item
        for item_id, item in stands.items()
        if known.get(item_id) != item.annotation_id and (item_id not in known or known[item_id] in own)
    ]
    removed = {item_id for item_id, label in known.items() if label in own and item_id not in stands}
    if not changed and not removed:
        return None
    return add_version(
        tx,
        context.blobs,
        parent_id=parent_id,
        additions=changed,
        removals=removed,
        purpose="train",
        round_id=round_id,
        now=utc_now(),
    )
