"""What the service answers, as frozen records; names that a newer service adds are passed over."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from al_platform.domain.loops import Closing, LoopState, Stopping, Trigger
from al_platform.domain.rounds import RoundState


@dataclass(frozen=True)
class FrameRecord:
    """A camera frame. Brightness is 0-255, sharpness the variance of the Laplacian; null where never measured."""

    frame_id: str
    dataset: str
    session_id: str
    frame_number: int
    timestamp_s: float | None
    width: int
    height: int
    brightness: float | None
    sharpness: float | None
    image_hash: str
    media_type: str
    tags: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True)
class FrameCount:
    """How many frames and sessions match a filter."""

    frames: int
    sessions: int


@dataclass(frozen=True)
class BrokenRecord:
    """A file that could not be used, and why."""

    origin: str
    reason: str


@dataclass(frozen=True)
class ImportRecord:
    """What an import found; `duplicates` and `broken` name the first hundred of each."""

    read: int
    added: int
    labels: int
    duplicates: tuple[str, ...]
    broken: tuple[BrokenRecord, ...]


@dataclass(frozen=True)
class ScenarioRecord:
    """A scene of traffic: steps of 0.2 s, lengths in metres; `report` says what was mended, dropped or noticed."""

    scenario_id: str
    dataset: str
    session_id: str
    name: str
    origin: str
    source_id: str
    steps: int
    agents: int
    vehicles: int
    pedestrians: int
    cyclists: int
    lights: int
    stop_signs: int
    route_m: float
    driven_m: float
    tags: tuple[str, ...] = ()
    report: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ScenarioCount:
    """How many scenarios and sessions match a filter."""

    scenarios: int
    sessions: int


@dataclass(frozen=True)
class DatasetRecord:
    """A dataset that was ingested."""

    dataset: str
    frames: int
    sessions: int


@dataclass(frozen=True)
class ProgressRecord:
    """`done` of `total` in the units that the stage counts."""

    stage: str
    done: int
    total: int
    note: str = ""
    """Losses, or speed and what limits it."""
    seconds_left: float | None = None


@dataclass(frozen=True)
class RoundRecord:
    """A round: the last step it finished, what the service does about it, what came of it so far."""

    round_id: str
    state: RoundState
    run_state: str | None
    stop_requested: bool
    attempts: int
    progress: ProgressRecord | None
    message: str
    pool_id: str
    trained_on: str
    test_version_id: str | None
    strategy: str
    targets: tuple[str, ...]
    queue: str
    budget_frames: int
    seed: int
    ensemble_id: str | None
    dataset_version_id: str | None

    @property
    def at_rest(self) -> bool:
        """Whether the service is doing nothing about it now."""
        return self.run_state not in ("queued", "running")


@dataclass(frozen=True)
class StepRecord:
    """A finished step: when (UTC), how long, whether its result was there already, what it gave."""

    step: str
    started_at: str
    seconds: float
    cached: bool
    outputs: Mapping[str, str | int | float]


@dataclass(frozen=True)
class EstimateRecord:
    """What a round would take; seconds are None where no past step tells."""

    pool_frames: int
    pool_sessions: int
    available_frames: int
    test_frames: int
    labels: int
    seconds: Mapping[str, float | None]
    based_on: Mapping[str, int]


@dataclass(frozen=True)
class TaskRecord:
    """A frame in a labelling queue; rank 0 is seen first."""

    task_id: str
    round_id: str
    item_id: str
    for_class: str
    rank: int
    score: float
    state: str


@dataclass(frozen=True)
class QueueRecord:
    """A labelling queue and how many of its tasks are in each state."""

    queue: str
    tasks: Mapping[str, int]


@dataclass(frozen=True)
class MetricsRecord:
    """Metrics by frozen test set, metric and class."""

    ensemble_id: str
    tests: Mapping[str, Mapping[str, Mapping[str, float]]]


@dataclass(frozen=True)
class VerifiedRecord:
    """Whether a round's picks come out again from their stored inputs; if not, how they differ."""

    round_id: str
    equal: bool
    differences: tuple[str, ...]


@dataclass(frozen=True)
class SimilarRecord:
    """A frame and how like some examples it is, in [-2, 2]; higher = more."""

    frame_id: str
    score: float


@dataclass(frozen=True)
class LoopRecord:
    """A loop: what is done about it, its rules, how far it is. `gain` is over the control share, of all rounds."""

    loop_id: str
    name: str
    state: LoopState
    message: str
    created_by: str
    created_at: str
    next_at: str | None
    pool: str
    targets: tuple[str, ...]
    strategy: str
    control_share: float
    budget_frames: int
    rounds: int | None
    warm_start: bool
    trigger: Trigger
    closing: Closing
    stopping: Stopping
    begun_rounds: int
    appended_rounds: int
    labels: int
    metric: float | None
    gain: float | None


@dataclass(frozen=True)
class LoopRoundRecord:
    """A round of a loop. `gain`: positive cells of a picked frame to those of a control frame."""

    number: int
    round_id: str
    begun_at: str
    ended_at: str | None
    appended: bool
    pool_frames: int
    labels: int
    metric: float | None
    information: float | None
    picked_frames: int
    picked_cells: int
    control_frames: int
    control_cells: int
    gain: float | None


@dataclass(frozen=True)
class EventPrecisionRecord:
    """A detected event: how often people found that it happened, and that it did not."""

    event: str
    confirmed: int
    denied: int
    precision: float


@dataclass(frozen=True)
class TriageRecord:
    """Verdicts so far on the `picked` scenarios of a round, and how precise the detected events were."""

    picked: int
    accepted: int
    bad_recordings: int
    duplicates: int
    events: tuple[EventPrecisionRecord, ...] = ()
