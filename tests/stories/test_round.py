"""One round from PLANNED to APPENDED: what it keeps, and what is known of it afterwards."""

from dataclasses import replace

import numpy as np
import pytest

from al_platform.catalog.annotations import annotations_by_id
from al_platform.catalog.datasets import version_items
from al_platform.domain.labels import TaskState
from al_platform.domain.rounds import Budget, Round, RoundSpec, RoundState
from al_platform.errors import InvalidInput, NonFiniteScore, NotFound
from al_platform.labeling.offline import OfflineAnnotator
from al_platform.labeling.oracle import Oracle
from al_platform.loop.models import presence_maps
from al_platform.loop.rounds import run_round, submit_round
from al_platform.loop.start import buy_version
from al_platform.models.families import family_named
from al_platform.models.weights import weights_from_bytes, weights_to_bytes
from al_platform.platform.data import lineage
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context, prepare_round, round_details, run_one_round
from tests.fleet import CLASSES, MODEL, POOL, START, TARGETS, TEST, contents, counts, frames_of, round_spec

pytestmark = pytest.mark.story
BUDGET = 6
MANY = 30
"""Frames enough to show targets, whatever the ensemble thinks of them."""
STEPS = ["train", "score", "select", "send", "collect", "append"]


def test_a_round_takes_every_step_once_and_appends_what_it_bought(platform: Platform) -> None:
    spec = round_spec(platform, budget=BUDGET)
    round_ = run_one_round(platform, spec)
    details = round_details(platform, round_.round_id)
    assert round_.state is RoundState.APPENDED
    assert [run.step for run in details.steps] == STEPS
    assert not any(run.cached for run in details.steps)
    assert [pick.rank for pick in details.selections] == list(range(BUDGET))
    before, after = items(platform, spec.dataset_version_id), items(platform, round_.dataset_version_id)
    picked = {pick.item_id for pick in details.selections}
    assert len(before) == START
    assert after.keys() == before.keys() | picked
    assert len(after) == START + BUDGET
    assert set(details.metrics["average_precision"]) == set(CLASSES)


def test_the_same_round_again_is_found_and_runs_nothing(platform: Platform) -> None:
    first = run_one_round(platform, round_spec(platform))
    known = contents(platform)
    assert run_one_round(platform, round_spec(platform)) == first
    assert contents(platform) == known


def test_labels_ensemble_and_version_trace_back_to_pixels_that_are_there(platform: Platform) -> None:
    round_ = run_one_round(platform, round_spec(platform))
    nodes = lineage(platform, round_.dataset_version_id or "")
    frames = [node for node in nodes.values() if node.kind == "frame"]
    labels = [node for node in nodes.values() if node.kind == "label"]
    assert len(labels) == START + BUDGET
    for label in labels:
        (frame_id,) = (parent.node_id for parent in label.parents if parent.relation == "of")
        assert nodes[frame_id].kind == "frame"
    for frame in frames:
        (pixels,) = frame.parents
        assert pixels.relation == "pixels"
        assert nodes[pixels.node_id].kind == "blob"
    asked = [node for node in labels if any(parent.relation == "asked by" for parent in node.parents)]
    assert len(asked) == BUDGET
    assert all(platform.blobs.has(node.node_id) for node in nodes.values() if node.kind == "blob")
    kinds = {node.kind for node in nodes.values()}
    assert kinds == {
        "dataset version",
        "label",
        "task",
        "round",
        "ensemble",
        "encoder",
        "scores",
        "pool",
        "frame",
        "blob",
    }


def test_an_ensemble_traces_back_to_the_labels_it_learned_from(platform: Platform) -> None:
    spec = round_spec(platform)
    round_ = run_one_round(platform, spec)
    nodes = lineage(platform, round_.ensemble_id or "")
    learned = {parent.node_id for parent in nodes[spec.dataset_version_id].parents if parent.relation == "label"}
    assert learned == set(items(platform, spec.dataset_version_id).values())
    assert all(nodes[label].kind == "label" for label in learned)


def test_an_object_budget_is_spent_in_rank_order_and_the_rest_is_withdrawn(platform: Platform) -> None:
    spec = round_spec(platform, budget=MANY)
    spent = np.cumsum(target_cells(platform, run_one_round(platform, replace(spec, queue="all"))))
    limit = int(spent[-1]) // 2
    paid = int(np.argmax(spent >= limit)) + 1
    assert 0 < paid < MANY
    round_ = run_one_round(platform, replace(spec, budget=Budget(MANY, limit)))
    states = {row["rank"]: row["state"] for row in contents(platform)["tasks"] if row["round_id"] == round_.round_id}
    expected = [TaskState.LABELED] * paid + [TaskState.WITHDRAWN] * (MANY - paid)
    assert [states[rank] for rank in range(MANY)] == expected
    assert len(items(platform, round_.dataset_version_id)) == START + paid


def test_a_frame_that_was_withdrawn_may_be_picked_again_later(platform: Platform) -> None:
    spec = round_spec(platform, budget=MANY)
    first = run_one_round(platform, replace(spec, budget=Budget(MANY, 1)))
    rows = contents(platform)["tasks"]
    withdrawn = {row["item_id"] for row in rows if row["state"] == TaskState.WITHDRAWN}
    rest = replace(spec, dataset_version_id=first.dataset_version_id or "", budget=Budget(80))
    second = run_one_round(platform, rest)
    picked = {pick.item_id for pick in round_details(platform, second.round_id).selections}
    assert withdrawn
    assert withdrawn <= picked


def test_a_budget_beyond_the_pool_picks_everything_that_is_there_and_the_next_round_says_so(platform: Platform) -> None:
    pool = frames_of(platform, POOL)
    spec = round_spec(platform, "random", budget=len(pool) + 1)
    round_ = run_one_round(platform, spec)
    assert set(items(platform, round_.dataset_version_id)) == set(pool)
    after = replace(spec, dataset_version_id=round_.dataset_version_id or "")
    with pytest.raises(InvalidInput, match="every frame is labelled, queued or unreadable; ingest more frames"):
        run_one_round(platform, after)


def test_weights_that_are_not_numbers_fail_the_round_and_nothing_is_selected(platform: Platform) -> None:
    spec = round_spec(platform)
    context = loop_context(platform)
    submitted = submit_round(context, spec)
    trained = run_one_round(platform, spec)
    spoil_weights(platform, trained)
    with pytest.raises(NonFiniteScore, match=r"of frame frm_\w+ for class person is nan: .* nothing was selected"):
        run_round(context, submitted_again(platform, spec))
    failed = [row for row in contents(platform)["rounds"] if row["round_id"] != submitted.round_id]
    assert [row["state"] for row in failed] == [RoundState.FAILED]
    assert not [row for row in contents(platform)["tasks"] if row["round_id"] == failed[0]["round_id"]]
    known = contents(platform)
    with pytest.raises(
        InvalidInput, match=r"is failed \(score: mi_sum of frame .* submit it with another seed or model"
    ):
        run_round(context, submitted_again(platform, spec))
    assert contents(platform) == known


def test_a_class_that_no_labelled_frame_shows_is_learned_as_absent_and_scored(platform: Platform) -> None:
    pool = frames_of(platform, POOL)
    shows = Oracle(platform.sealed).shows(pool, ("bicycle",), MODEL.grid)[:, 0]
    without = [frame_id for frame_id, shown in zip(pool, shows, strict=True) if not shown][:START]
    annotator = OfflineAnnotator(platform.sealed, platform.blobs)
    version = buy_version(loop_context(platform), annotator, without, purpose="start without bicycles")
    round_ = run_one_round(platform, replace(round_spec(platform), dataset_version_id=version, targets=("bicycle",)))
    assert round_.state is RoundState.APPENDED
    assert {pick.for_class for pick in round_details(platform, round_.round_id).selections} == {"bicycle"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dataset_version_id": "dsv_none"}, "dataset version dsv_none: not in the catalog"),
        ({"pool_id": "pool_none"}, "pool pool_none: not in the catalog"),
        ({"test_version_id": "dsv_none"}, "dataset version dsv_none: not in the catalog"),
        ({"annotator": "nobody"}, "annotator 'nobody': known are offline"),
        ({"model": replace(MODEL, family="best")}, "model family best: known are prefix-heads, unet"),
        (
            {"model": replace(MODEL, classes=("person", "tram"), options=MODEL.options), "targets": ("person",)},
            r"class tram: no label of dataset version dsv_\w+ says whether it is there; known are bicycle, car, person",
        ),
    ],
)
def test_a_round_that_cannot_be_is_never_entered(platform: Platform, changes: dict[str, str], message: str) -> None:
    spec = round_spec(platform)
    known = contents(platform)
    with pytest.raises((InvalidInput, NotFound), match=message):
        submit_round(loop_context(platform), replace(spec, **changes))
    assert contents(platform) == known


def test_pool_and_test_set_must_not_share_a_drive(platform: Platform) -> None:
    known = contents(platform)
    wanted = RoundSpec(MODEL, "", "", TARGETS, Budget(1))
    with pytest.raises(InvalidInput, match=r"share 4 sessions, for example synthetic/synthetic_22_\d{4}"):
        prepare_round(platform, wanted, pool="dataset=synthetic", test=TEST, start=START)
    assert counts(contents(platform)) == counts(known)


def items(platform: Platform, version_id: str | None) -> dict[str, str]:
    """Annotation of each frame of a dataset version."""
    with platform.catalog.transaction() as tx:
        return {item.item_id: item.annotation_id for item in version_items(tx, platform.blobs, version_id or "")}


def target_cells(platform: Platform, round_: Round) -> list[int]:
    """Cells with a target in the label of each pick, in the order of the ranks."""
    labels = items(platform, round_.dataset_version_id)
    wanted = [labels[pick.item_id] for pick in round_details(platform, round_.round_id).selections]
    with platform.catalog.transaction() as tx:
        annotations = annotations_by_id(tx, wanted)
    maps = presence_maps(loop_context(platform), MODEL).of([annotations[label] for label in wanted])
    return [int(count) for count in (maps[:, : len(TARGETS)] == 1).sum(axis=(1, 2, 3))]


def spoil_weights(platform: Platform, round_: Round) -> None:
    """Make the weights of a round's ensemble NaN, as a training that diverged would."""
    family = family_named(MODEL.family)
    with platform.catalog.transaction() as tx:
        ((blob_hash,),) = tx.execute(
            "SELECT weights_hash FROM ensembles WHERE ensemble_id = ?", [round_.ensemble_id]
        ).fetchall()
        weights = weights_from_bytes(family, MODEL, platform.blobs.get(blob_hash))
        weights["out"]["bias"] = np.full_like(weights["out"]["bias"], np.nan)
        spoiled = platform.blobs.put(weights_to_bytes(weights)).hash
        tx.execute("UPDATE ensembles SET ensemble = replace(ensemble, ?, ?)", [blob_hash, spoiled])
        tx.execute("DELETE FROM score_sets")


def submitted_again(platform: Platform, spec: RoundSpec) -> Round:
    """The same training, asked for by a round with another budget."""
    return submit_round(loop_context(platform), replace(spec, budget=Budget(BUDGET - 1)))
