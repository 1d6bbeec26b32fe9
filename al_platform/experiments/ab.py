"""The A/B test: loops that differ in their strategy alone, paired by seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from al_platform.catalog import experiments as experiment_catalog
from al_platform.catalog import models as model_catalog
from al_platform.catalog.rounds import steps_of
from al_platform.domain.clock import utc_now
from al_platform.domain.environment import environment
from al_platform.domain.hashing import canonical_json
from al_platform.domain.ids import make_id
from al_platform.domain.loops import LoopSpec
from al_platform.domain.progress import Progress
from al_platform.domain.records import record_from_json
from al_platform.domain.rounds import Round, RoundSpec, StrategySpec
from al_platform.errors import InvalidInput
from al_platform.experiments.contents import LabelledContents, contents_of
from al_platform.experiments.design import Design, make_design
from al_platform.experiments.gallery import pick_gallery
from al_platform.experiments.records import CurvePoint, ExperimentResult, ExperimentSpec
from al_platform.labeling.offline import OfflineAnnotator
from al_platform.labeling.oracle import Oracle
from al_platform.loop.checks import require_possible
from al_platform.loop.context import LoopContext
from al_platform.loop.loops import run_loop, train_on_last
from al_platform.loop.start import buy_start


@dataclass(frozen=True)
class Bench:
    """Who an experiment works with: the loop, the one who sells labels, and the eye that baselines borrow."""

    context: LoopContext
    annotator: OfflineAnnotator
    oracle: Oracle


@dataclass(frozen=True)
class _Arm:
    """One strategy on one seed."""

    experiment_id: str
    name: str
    seed: int
    loop: LoopSpec


def experiment_id_of(spec: ExperimentSpec) -> str:
    """Name an experiment by its content: running it again goes on with it."""
    return make_id("exp", spec)


def run_experiment(bench: Bench, spec: ExperimentSpec) -> ExperimentResult:
    """Run every arm of every seed and give all points; what an earlier run finished is found, not run again.

    Raises: InvalidInput for strategies or targets that cannot be, an arm that is named twice, and as `make_design`.
    """
    context, experiment_id = bench.context, experiment_id_of(spec)
    _require_sound(context, spec)
    design = make_design(context, spec, annotator=bench.annotator, oracle=bench.oracle)
    with context.catalog.transaction() as tx:
        experiment_catalog.add_experiment(tx, experiment_id, canonical_json(spec), now=utc_now())
    arms, pool = len(spec.strategies) * spec.seeds, pa.chunked_array([design.pool], pa.string())
    for seed in range(spec.seeds):
        start = buy_start(context, bench.annotator, pool, frames=spec.start, seed=seed)
        for index, strategy in enumerate(spec.strategies):
            context.report(Progress("arms", seed * len(spec.strategies) + index, arms))
            _run_arm(context, design, _arm(spec, design, strategy, seed=seed, start=start))
    context.report(Progress("arms", arms, arms))
    return result_of(context, spec, design)


def result_of(context: LoopContext, spec: ExperimentSpec, design: Design) -> ExperimentResult:
    """Give everything that is known of an experiment so far."""
    experiment_id = experiment_id_of(spec)
    with context.catalog.transaction() as tx:
        points = experiment_catalog.points_of(tx, experiment_id)
    return ExperimentResult(
        experiment_id=experiment_id,
        spec=spec,
        points=_in_order_asked(spec, [record_from_json(CurvePoint, point) for point in points]),
        pool_frames=len(design.pool),
        pool_sessions=design.pool_sessions,
        test_frames=design.test_frames,
        test_sessions=design.test_sessions,
        environment=environment(),
        gallery=pick_gallery(context, experiment_id, spec.model, targets=spec.targets),
    )


def _in_order_asked(spec: ExperimentSpec, points: Sequence[CurvePoint]) -> tuple[CurvePoint, ...]:
    """Points by arm as the specification lists them, then by seed and round: reports tell of the first arm first."""
    places = {arm_name(strategy): place for place, strategy in enumerate(spec.strategies)}
    return tuple(sorted(points, key=lambda point: (places[point.arm], point.seed, point.round_index)))


def arm_name(strategy: StrategySpec) -> str:
    """Give the arm's name: the strategy's, with its limits where it has them."""
    limits = (
        f"cap {strategy.session_cap}" if strategy.session_cap is not None else "",
        f"gap {strategy.minimum_gap_s:g} s" if strategy.minimum_gap_s else "",
        f"distance {strategy.minimum_distance:g}" if strategy.minimum_distance else "",
        f"{strategy.group_tag} {strategy.group_quota}" if strategy.group_quota is not None else "",
        f"control {strategy.control_share:g}" if strategy.control_share else "",
        f"guard {strategy.guard:g}" if strategy.guard is not None else "",
    )
    return " ".join([strategy.name, *(limit for limit in limits if limit)])


def _require_sound(context: LoopContext, spec: ExperimentSpec) -> None:
    """Check the arms before anything is kept: they differ, and each is a round that can be."""
    names = [arm_name(strategy) for strategy in spec.strategies]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInput(f"strategy {', '.join(twice)}: is named twice; more of the same arm is --seeds")
    for strategy in spec.strategies:
        first = RoundSpec(spec.model, "", "", spec.targets, spec.budget, strategy)
        require_possible(context, first)


def _arm(spec: ExperimentSpec, design: Design, strategy: StrategySpec, *, seed: int, start: str) -> _Arm:
    experiment_id, name = experiment_id_of(spec), arm_name(strategy)
    first = RoundSpec(
        model=spec.model,
        dataset_version_id=start,
        pool_id=design.pool_id,
        targets=spec.targets,
        budget=spec.budget,
        strategy=strategy,
        seed=seed,
        test_version_id=design.test_version_id,
        queue=f"{experiment_id}/{name}/{seed}",
    )
    return _Arm(experiment_id, name, seed, LoopSpec(first, spec.rounds))


def _run_arm(context: LoopContext, design: Design, arm: _Arm) -> None:
    with context.catalog.transaction() as tx:
        if experiment_catalog.arm_is_done(tx, arm.experiment_id, arm=arm.name, seed=arm.seed):
            return
    rounds = list(run_loop(context, arm.loop))
    last = train_on_last(context, arm.loop, rounds[-1])
    ensembles = [*(round_.ensemble_id or "" for round_ in rounds), last.ensemble_id]
    points = _points(context, design, arm, rounds=rounds, ensembles=ensembles)
    with context.catalog.transaction() as tx:
        experiment_catalog.add_points(
            tx,
            arm.experiment_id,
            arm=arm.name,
            seed=arm.seed,
            points=[(point.round_index, round_id, canonical_json(point)) for point, round_id in points],
        )


def _points(
    context: LoopContext, design: Design, arm: _Arm, *, rounds: Sequence[Round], ensembles: Sequence[str]
) -> list[tuple[CurvePoint, str | None]]:
    """A point for the start set, then one for what each round appended."""
    first = arm.loop.first
    versions = [first.dataset_version_id, *(round_.dataset_version_id or "" for round_ in rounds)]
    points: list[tuple[CurvePoint, str | None]] = []
    before = LabelledContents()
    for index, (version_id, ensemble_id) in enumerate(zip(versions, ensembles, strict=True)):
        contents = contents_of(context, first.frame_model, version_id, targets=first.targets)
        round_id = rounds[index - 1].round_id if index else None
        with context.catalog.transaction() as tx:
            metrics = model_catalog.metrics_of(tx, ensemble_id, design.test_version_id)
            steps = steps_of(tx, round_id) if round_id else []
        point = CurvePoint(
            arm=arm.name,
            seed=arm.seed,
            round_index=index,
            frames=contents.frames,
            positive_cells=contents.positive_cells,
            objects=contents.objects,
            sessions=contents.sessions,
            average_precision=metrics.get("average_precision", {}),
            seconds={step.step: step.seconds for step in steps if not step.cached},
            picked=contents.frames - before.frames if index else 0,
            picked_without_target=contents.without_target - before.without_target if index else 0,
        )
        points.append((point, round_id))
        before = contents
    return points
