"""The setting of an experiment as names and values."""

from al_platform.experiments.records import ExperimentResult
from al_platform.experiments.report.words import amount, listing
from al_platform.experiments.statistics import arms_of


def setting_of(result: ExperimentResult) -> list[tuple[str, str]]:
    """What was compared, on what, with which model, and where it ran."""
    spec = result.spec
    seeds = len({point.seed for point in result.points})
    rounds = max((point.round_index for point in result.points), default=0)
    limit = f" or {amount(spec.budget.objects)} positive cells" if spec.budget.objects is not None else ""
    rows = [
        ("Strategies", ", ".join(arms_of(result.points)) or "none"),
        ("Targets", listing(spec.targets)),
        ("Pool", f"{amount(result.pool_frames)} frames of {amount(result.pool_sessions)} sessions"),
        ("Pool filter", spec.pool_filter),
        (
            "Test set",
            f"{amount(result.test_frames)} frames of {amount(result.test_sessions)} sessions, frozen",
        ),
        ("Test filter", spec.test_filter),
        (
            "Seeds",
            f"{seeds} of {spec.seeds}, paired: all arms of a seed share its start set and reference model",
        ),
        (
            "Labels",
            f"{amount(spec.start)} to start, then {rounds} rounds of {amount(spec.budget.frames)} frames{limit}",
        ),
        ("Model", _model(result)),
        ("Training", _training(result)),
    ]
    if spec.thinning is not None:
        rows.append(
            (
                "Long tail",
                f"1 in {spec.thinning.keep_one_in} frames that show {spec.thinning.class_name} kept",
            )
        )
    environment = ", ".join(f"{name} {value}" for name, value in result.environment.items())
    return [*rows, ("Environment", environment or "not recorded"), ("Experiment", result.experiment_id)]


def _model(result: ExperimentResult) -> str:
    model = result.spec.model
    grid = model.grid
    return (
        f"{model.family}, {model.members} members, {grid.image_height} × {grid.image_width} pixels in cells of "
        f"{grid.cell}; classes {listing(model.classes)}"
    )


def _training(result: ExperimentResult) -> str:
    training = result.spec.model.training
    return f"at most {amount(training.steps)} steps of {training.batch_frames} frames, early stopping by sessions"
