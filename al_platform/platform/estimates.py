"""What a round would take, before anything of it is kept or bought."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from al_platform.catalog.answers import answer_seconds
from al_platform.catalog.datasets import version_named
from al_platform.catalog.runs import past_steps
from al_platform.catalog.tasks import items_taken
from al_platform.domain.runs import RoundRequest
from al_platform.errors import InvalidInput
from al_platform.loop.checks import require_apart, require_possible
from al_platform.loop.kinds import kind_of
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context


@dataclass(frozen=True)
class Estimate:
    """What a round would take. Seconds are those of past steps on this home, None where there were none."""

    pool_frames: int
    pool_sessions: int
    available_frames: int
    """Frames of the pool that the queue did not take before."""
    test_frames: int
    labels: int
    """Frames that people would be asked for, start and test sets included."""
    seconds: Mapping[str, float | None]
    """By step; `label` is the working time of people."""
    based_on: Mapping[str, int]
    """Step to how many past runs of it, or answers of people, the estimate rests on."""


def estimate_round(platform: Platform, request: RoundRequest) -> Estimate:
    """Say what a round would take; nothing is kept, nothing is bought.

    Raises: InvalidInput, NotFound as `submit` would, as far as that can be known without buying labels.
    """
    wanted = request.wanted
    require_possible(loop_context(platform), wanted)
    with platform.catalog.transaction() as tx:
        kind = kind_of(wanted.model)
        pool = kind.matching(tx, request.pool)
        test = kind.matching(tx, request.test) if request.test else pool.slice(0, 0)
        if wanted.dataset_version_id:
            version_named(tx, wanted.dataset_version_id)
        taken = items_taken(tx, wanted.queue)
        trained, scored, answered = past_steps(tx, "train"), past_steps(tx, "score"), answer_seconds(tx)
    if not pool.num_rows:
        raise InvalidInput(f"pool {request.pool!r}: no {kind.what} matches")
    require_apart(pool["session_id"], test["session_id"])
    available = pool.num_rows - pc.sum(pc.is_in(pool["item_id"], value_set=taken)).as_py()
    start = 0 if wanted.dataset_version_id else min(request.start, pool.num_rows)
    labels = min(wanted.budget.frames, available) + start + test.num_rows
    return Estimate(
        pool_frames=pool.num_rows,
        pool_sessions=pc.count_distinct(pool["session_id"]).as_py(),
        available_frames=available,
        test_frames=test.num_rows,
        labels=labels,
        seconds={
            "train": _median([seconds for seconds, _ in trained]),
            "score": _scaled(_median(_seconds_a_frame(scored)), pool.num_rows),
            "label": _scaled(_median(answered), labels),
        },
        based_on={"train": len(trained), "score": len(_seconds_a_frame(scored)), "label": len(answered)},
    )


def _seconds_a_frame(scored: Sequence[tuple[float, Mapping[str, Any]]]) -> list[float]:
    return [seconds / outputs["scored_frames"] for seconds, outputs in scored if outputs.get("scored_frames", 0)]


def _scaled(seconds: float | None, times: int) -> float | None:
    return None if seconds is None else seconds * times


def _median(values: Sequence[float]) -> float | None:
    return sorted(values)[len(values) // 2] if values else None
