"""Rounds and loops."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from al_platform.catalog import datasets as dataset_catalog
from al_platform.catalog.connection import Transaction
from al_platform.catalog.datasets import version_named
from al_platform.catalog.models import metrics_of
from al_platform.catalog.rounds import StepRun, all_rounds, round_named, steps_of
from al_platform.catalog.tasks import selections_of
from al_platform.domain.clock import utc_now
from al_platform.domain.datasets import DatasetVersion
from al_platform.domain.jobs import Workplace
from al_platform.domain.loops import LoopSpec
from al_platform.domain.rounds import Round, RoundSpec, Selection
from al_platform.errors import InvalidInput
from al_platform.labeling.offline import OfflineAnnotator
from al_platform.labeling.oracle import Oracle
from al_platform.loop.checks import require_apart, require_pickable, require_possible
from al_platform.loop.context import LoopContext
from al_platform.loop.corrections import take_corrections
from al_platform.loop.frame_items import require_labelled_classes
from al_platform.loop.kinds import FRAME_ITEMS, ItemKind, kind_of
from al_platform.loop.loops import run_loop, train_on_last
from al_platform.loop.rounds import run_round, submit_round
from al_platform.loop.start import buy_start, buy_version, take_in_start
from al_platform.loop.verify import verify_selection
from al_platform.platform.compiled import keep_compiled
from al_platform.platform.data import freeze_pool
from al_platform.platform.home import Platform
from al_platform.platform.labels import label_studio_tool
from al_platform.platform.tiers import cached_images
from al_platform.settings import Settings
from al_platform.training.place import TrainingPlace
from al_platform.training.tiers import HotTiers

_FIRST_LABELS = 1_000
"""Labels of a pool that are looked at first for the names of its classes; nearly always enough."""


@dataclass(frozen=True)
class RoundDetails:
    """A round with its steps, its picks, and how good its ensemble is on the frozen test set."""

    round: Round
    steps: list[StepRun]
    selections: list[Selection]
    metrics: dict[str, dict[str, float]]


def loop_context(platform: Platform, *, scorers: int = 1) -> LoopContext:
    """Give what rounds and loops work with; pools are scored by so many processes."""
    keep_compiled(platform.settings.cache_folder / "xla")
    context = LoopContext(
        catalog=platform.catalog,
        place=TrainingPlace(
            workplace=workplace_of(platform.settings, scorers=scorers),
            blobs=platform.blobs,
            images=cached_images(platform),
            tiers=HotTiers(platform.settings.hot_folder),
            caches=platform.caches,
        ),
        compute=platform.compute,
        tools={"offline": OfflineAnnotator(platform.sealed, platform.blobs)},
        oracle=Oracle(platform.sealed),
        report=platform.report,
    )
    return replace(context, tools={**context.tools, **label_studio_tool(platform, context)})


def workplace_of(settings: Settings, *, scorers: int = 1) -> Workplace:
    """Give what a job is told of where it works."""
    return Workplace(
        storage_url=settings.storage_url,
        cache_folder=str(settings.cache_folder),
        hot_folder=str(settings.hot_folder),
        runs_folder=str(settings.runs_folder),
        blob_cache_bytes=settings.blob_cache_bytes,
        memory_bytes=settings.memory_bytes,
        scorers=scorers,
        scenarios_folder=str(settings.scenarios_folder),
    )


def start_set(platform: Platform, pool: pa.ChunkedArray, *, frames: int, seed: int) -> str:
    """Label a start set drawn uniformly from the frame ids of a pool and give its dataset version."""
    annotator = OfflineAnnotator(platform.sealed, platform.blobs)
    return buy_start(loop_context(platform), annotator, pool, frames=frames, seed=seed)


def frozen_test_set(platform: Platform, filter_text: str) -> str:
    """Label the frames that a filter matches as a frozen test set and give its dataset version."""
    _, frames = freeze_pool(platform, filter_text)
    annotator = OfflineAnnotator(platform.sealed, platform.blobs)
    return buy_version(loop_context(platform), annotator, frames["item_id"].to_pylist(), purpose="test")


def prepare_round(platform: Platform, wanted: RoundSpec, *, pool: str, test: str, start: int) -> RoundSpec:
    """Freeze the pool, the test set and the start set of a round, and give its specification with their ids.

    `pool` and `test` are filters; an empty `test` is none. A start set of `start` frames is bought where `wanted`
    names no dataset version. What can be checked is checked before anything is kept or bought.

    Raises: InvalidInput for a round that cannot be, a filter that does not parse or matches nothing, sessions in
        both pool and test set, or a start set that the pool cannot give; NotFound for an unknown dataset version.
    """
    require_possible(loop_context(platform), wanted)
    kind = kind_of(wanted.model)
    if test and kind is not FRAME_ITEMS:
        raise InvalidInput(f"test set {test!r}: drivers are judged by `alp policy evaluate`; leave it out")
    with platform.catalog.transaction() as tx:
        in_pool = kind.matching(tx, pool)
        in_test = kind.matching(tx, test) if test else in_pool.slice(0, 0)
        if wanted.dataset_version_id:
            version_named(tx, wanted.dataset_version_id)
    if not in_pool.num_rows:
        raise InvalidInput(f"pool {pool!r}: no {kind.what} matches; `alp {_LISTED_BY[kind.what]}` shows what there is")
    if test and not in_test.num_rows:
        raise InvalidInput(f"test set {test!r}: no frame matches; `alp frames` shows what there is")
    require_apart(in_pool["session_id"], in_test["session_id"])
    with platform.catalog.transaction() as tx:
        require_pickable(tx, wanted, in_pool, described=repr(pool))
    version = wanted.dataset_version_id or _start_of(platform, wanted, in_pool, described=repr(pool), start=start)
    test_version = frozen_test_set(platform, test) if test else None
    pool_id = _frozen(platform, kind, pool)
    return replace(wanted, dataset_version_id=version, pool_id=pool_id, test_version_id=test_version)


_LISTED_BY = {"frame": "frames", "scenario": "scenarios list"}


def _start_of(platform: Platform, wanted: RoundSpec, in_pool: pa.Table, *, described: str, start: int) -> str:
    """The start set of a round that names no dataset version."""
    if kind_of(wanted.model) is not FRAME_ITEMS:
        context = loop_context(platform)
        return take_in_start(context, in_pool["item_id"], scenarios=start, seed=wanted.seed)
    known = _labelled_classes(platform, in_pool["item_id"].to_pylist(), wanted.model.classes)
    require_labelled_classes(wanted.model.classes, known, described=f"pool {described}")
    return start_set(platform, in_pool["item_id"], frames=start, seed=wanted.seed)


def _frozen(platform: Platform, kind: ItemKind, filter_text: str) -> str:
    with platform.catalog.transaction() as tx:
        return dataset_catalog.freeze_pool(tx, platform.blobs, filter_text, now=utc_now(), matching=kind.matching)[0]


def _labelled_classes(platform: Platform, frame_ids: Sequence[str], wanted: Sequence[str]) -> set[str]:
    """The classes that known labels speak of; no more labels are looked at than it takes to find the wanted ones."""
    annotator = OfflineAnnotator(platform.sealed, platform.blobs)
    known = annotator.classes_of(frame_ids[:_FIRST_LABELS])
    return known if known.issuperset(wanted) else known | annotator.classes_of(frame_ids[_FIRST_LABELS:])


def run_one_round(platform: Platform, spec: RoundSpec, *, scorers: int = 1) -> Round:
    """Submit a round and run it as far as it goes; submitted before, it goes on where it was."""
    context = loop_context(platform, scorers=scorers)
    return run_round(context, submit_round(context, spec))


def run_rounds(platform: Platform, spec: LoopSpec, *, scorers: int = 1) -> Iterator[RoundDetails]:
    """Run a loop and yield each round as it ends, then what is trained on that which the last one appended."""
    context = loop_context(platform, scorers=scorers)
    last: Round | None = None
    for round_ in run_loop(context, spec):
        last = round_
        yield round_details(platform, round_.round_id)
    if last is not None and last.dataset_version_id is not None:
        outcome = train_on_last(context, spec, last)
        if outcome.ensemble_id == last.ensemble_id:
            return  # a policy that is only asked learns nothing
        with platform.catalog.transaction() as tx:
            metrics = _metrics(tx, outcome.ensemble_id, spec.first.test_version_id)
        trained = replace(last, ensemble_id=outcome.ensemble_id)
        yield RoundDetails(trained, [], [], metrics)


def correct_round(platform: Platform, round_id: str, *, onto: str = "") -> DatasetVersion | None:
    """Take in what people changed after a round was appended; gives the version with the changes, None for none.

    Raises: NotFound for an unknown round, InvalidInput for one that is not appended, LabelingUnavailable.
    """
    with platform.catalog.transaction() as tx:
        round_ = round_named(tx, round_id)
    return take_corrections(loop_context(platform), round_, onto=onto)


def list_rounds(platform: Platform) -> list[Round]:
    """Give all rounds, oldest first."""
    with platform.catalog.transaction() as tx:
        return all_rounds(tx)


def round_details(platform: Platform, round_id: str) -> RoundDetails:
    """Give everything that is known of a round.

    Raises: NotFound for an unknown id.
    """
    with platform.catalog.transaction() as tx:
        round_ = round_named(tx, round_id)
        return RoundDetails(
            round=round_,
            steps=steps_of(tx, round_id),
            selections=selections_of(tx, round_id),
            metrics=_metrics(tx, round_.ensemble_id, round_.spec.test_version_id),
        )


def verify_round(platform: Platform, round_id: str) -> list[str]:
    """Select again from what a round was selected from; gives the differences, none where the picks are equal.

    Raises: NotFound for an unknown round, or one that has selected nothing yet.
    """
    return verify_selection(loop_context(platform), round_id)


def _metrics(tx: Transaction, ensemble_id: str | None, test_version_id: str | None) -> dict[str, dict[str, float]]:
    return metrics_of(tx, ensemble_id, test_version_id) if ensemble_id and test_version_id else {}
