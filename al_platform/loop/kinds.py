"""What differs between rounds of frames and rounds of scenarios: one entry a kind. Everything else is one code."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from numpy.typing import NDArray

from al_platform.catalog.connection import Transaction
from al_platform.catalog.datasets import Matching
from al_platform.catalog.filters import FRAMES, SCENARIOS, Filtered
from al_platform.catalog.frames import count_matching, frames_matching
from al_platform.catalog.scenarios import (
    count_scenarios,
    require_known_scenario_tag,
    scenario_groups,
    scenarios_in_pool,
)
from al_platform.catalog.tags import require_known_tag, tag_groups
from al_platform.domain.driving import PolicyModel
from al_platform.domain.labels import Label
from al_platform.domain.models import ModelSpec
from al_platform.domain.rounds import Round, RoundSpec
from al_platform.domain.scores import ScoringJob
from al_platform.loop import frame_items, scenario_items
from al_platform.loop.context import LoopContext
from al_platform.loop.train import TrainOutcome, train_round
from al_platform.models.records import Unreadable


@dataclass(frozen=True)
class ItemKind:
    """How items of a kind are found, asked about, and counted."""

    what: str
    """One of them, in words."""
    filtered: Filtered
    matching: Matching
    """Those that a filter matches, as a pool lists them."""
    counted: Callable[[Transaction, str], tuple[int, int]]
    """How many a filter matches, and of how many sessions."""
    sessions_of: Callable[[Transaction, Sequence[str]], dict[str, str]]
    """The session of each of these items."""
    require_tag: Callable[[Transaction, str], None]
    groups: Callable[[Transaction, str, pa.ChunkedArray], NDArray[Any]]
    """A code for each of these items by the value of a tag, NO_GROUP without it."""
    suited: Callable[[Transaction, Sequence[str], pa.ChunkedArray], NDArray[Any] | None]
    """For which targets each of these items may be picked, bool [N, K]; None: for every one."""
    require_possible: Callable[[RoundSpec], None]
    """Checks what the specification alone decides."""
    require_present: Callable[[LoopContext, RoundSpec], None]
    """Checks what the round begins with, besides its pool."""
    train: Callable[[LoopContext, RoundSpec], TrainOutcome]
    begin_with_last: Callable[[Transaction, RoundSpec, Round], RoundSpec]
    """A round whose training goes on from what the round before trained."""
    weights_of: Callable[[Transaction, str], str]
    """The hash of the weights of whoever picks."""
    job_of: Callable[[Transaction, LoopContext, ModelSpec | PolicyModel, str, str], ScoringJob]
    """The job of scoring a pool, by its id, by a model and whoever picks."""
    lost: Callable[[LoopContext, Round, Sequence[str]], Unreadable]
    """Those of these items that cannot be read, and why."""
    positives: Callable[[LoopContext, Round, Sequence[Label]], int]
    """What labels show of the round's targets: cells of frames, confirmed events of scenarios."""


FRAME_ITEMS = ItemKind(
    what="frame",
    filtered=FRAMES,
    matching=frames_matching,
    counted=count_matching,
    sessions_of=frame_items.sessions_of_frames,
    require_tag=require_known_tag,
    groups=tag_groups,
    suited=frame_items.suited_to_all,
    require_possible=frame_items.require_trainable,
    require_present=frame_items.require_known_classes,
    train=train_round,
    begin_with_last=frame_items.begin_with_last_members,
    weights_of=frame_items.ensemble_weights,
    job_of=frame_items.frame_job,
    lost=frame_items.lost_frames,
    positives=frame_items.positive_cells,
)
SCENARIO_ITEMS = ItemKind(
    what="scenario",
    filtered=SCENARIOS,
    matching=scenarios_in_pool,
    counted=count_scenarios,
    sessions_of=scenario_items.sessions_of_scenarios,
    require_tag=require_known_scenario_tag,
    groups=scenario_groups,
    suited=scenario_items.suited_by_tags,
    require_possible=scenario_items.require_drivable,
    require_present=scenario_items.require_known_drivers,
    train=scenario_items.drivers_of,
    begin_with_last=scenario_items.begin_with_last_drivers,
    weights_of=scenario_items.policy_weights,
    job_of=scenario_items.scenario_job,
    lost=scenario_items.lost_scenarios,
    positives=scenario_items.confirmed_events,
)


def kind_of(model: ModelSpec | PolicyModel) -> ItemKind:
    """Give the kind of items that a model is asked about."""
    return SCENARIO_ITEMS if isinstance(model, PolicyModel) else FRAME_ITEMS
