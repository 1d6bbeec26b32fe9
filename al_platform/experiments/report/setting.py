"""The setting of an experiment as names and values."""

from al_platform.experiments.records import ExperimentResult
from al_platform.experiments.report.words import amount, listing
from al_platform.experiments.statistics import arms_of


def setting_of(result: ExperimentResult) -> list[tuple[str, str]]:
    """What was compared, on what, with which model, and where it ran."""
    spec = result.spec
    seeds = len({point.seed for point in result.points})
    return [
        ("Strategies", ", ".join(arms_of(result.points)) or "none"),
        ("Targets", listing(spec.targets)),
        ("Pool", _frames(result.pool_frames, result.pool_sessions) + _thinning(result)),
        ("Pool filter", spec.pool_filter or "none"),
        ("Test set", _frames(result.test_frames, result.test_sessions) + ", frozen"),
        ("Test filter", spec.test_filter or "none"),
        ("Seeds", f"{seeds} of {spec.seeds}; all arms of a seed share the start set and the first model"),
        ("Labels", _labels(result)),
        ("Model", _model(result)),
        ("Training", _training(result)),
        ("Environment", ", ".join(f"{k} {v}" for k, v in result.environment.items()) or "not recorded"),
        ("Experiment", result.experiment_id),
    ]


def _frames(frames: int, sessions: int) -> str:
    return f"{amount(frames)} frames of {amount(sessions)} sessions"


def _thinning(result: ExperimentResult) -> str:
    thinning = result.spec.thinning
    if thinning is None:
        return ""
    return f", 1 in {thinning.keep_one_in} of those with {thinning.class_name} kept"


def _labels(result: ExperimentResult) -> str:
    start, budget = result.spec.start, result.spec.budget
    rounds = max((point.round_index for point in result.points), default=0)
    limit = f" or {amount(budget.objects)} positive cells" if budget.objects is not None else ""
    return f"{amount(start)} frames to start, then {rounds} rounds of {amount(budget.frames)}{limit}"


def _model(result: ExperimentResult) -> str:
    model = result.spec.model
    grid = model.grid
    return (
        f"{model.family}, {model.members} members, {grid.image_height} × {grid.image_width} pixels "
        f"in cells of {grid.cell}; classes {listing(model.classes)}"
    )


def _training(result: ExperimentResult) -> str:
    training = result.spec.model.training
    steps = f"{amount(training.steps)} steps of {training.batch_frames} frames"
    return f"at most {steps}, early stopping on held-out sessions"
