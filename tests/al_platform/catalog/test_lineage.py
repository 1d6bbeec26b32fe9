"""Lineage: from any id back to the pixels."""

from dataclasses import replace

import pytest

from al_platform.catalog.annotations import add_annotations
from al_platform.catalog.connection import Catalog
from al_platform.catalog.datasets import add_pool, add_version
from al_platform.catalog.frames import FrameFacts, add_frames
from al_platform.catalog.lineage import lineage_of
from al_platform.catalog.models import add_encoder, add_ensemble
from al_platform.catalog.rounds import plan_round, save_round
from al_platform.catalog.scores import ScoreSet, add_score_set
from al_platform.catalog.tasks import add_tasks
from al_platform.domain.data import BlobRef, Frame
from al_platform.domain.datasets import DatasetItem
from al_platform.domain.labels import Annotation, LabelTask
from al_platform.domain.lineage import LineageNode, Parent
from al_platform.domain.models import EnsembleVersion, ModelSpec, ModelVersion
from al_platform.domain.rounds import Budget, RoundSpec, StrategySpec
from al_platform.errors import NotFound
from al_platform.storage.blobs import BlobStore

NOW = "2026-01-31 12:00:00.000000"
MODEL = ModelSpec(("person",), members=1)


@pytest.fixture
def history(catalog: Catalog, blobs: BlobStore) -> dict[str, str]:
    """Name to id: frame b is labelled for the start set, a round trained on it buys frame a."""
    frames = [Frame(f"frm_{n}", "d", "d/s", BlobRef(f"pixels {n}", 1, "image/png"), 4, 4, 0) for n in ("a", "b")]
    labels = [Annotation(frame.frame_id, ("person",), "offline:d", width=4, height=4) for frame in frames]
    with catalog.transaction() as tx:
        add_frames(tx, [(frame, FrameFacts(1.0, 2.0, "it's here")) for frame in frames])
        pool = add_pool(tx, blobs, ["frm_a", "frm_b"], described="dataset=d", now=NOW)
        (start_label,) = add_annotations(tx, labels[1:], task_ids=[None], now=NOW)
        items = [DatasetItem("frm_b", start_label)]
        start = add_version(
            tx, blobs, parent_id=None, additions=items, purpose="start", round_id=None, now=NOW
        ).version_id
        add_encoder(tx, "enc_1", family="prefix-heads", pool_id=pool, blob_hash="encoder bytes", now=NOW)
        ensemble = EnsembleVersion("ens_1", MODEL, start, "enc_1", 5, "weight bytes", (ModelVersion(0, 1, 0.5, 1.0),))
        add_ensemble(tx, ensemble, now=NOW)
        add_score_set(tx, ScoreSet("scr_1", "ens_1", pool, frames=2, formula="f", created_at=NOW), [])
        spec = RoundSpec(MODEL, start, pool, ("person",), Budget(1), strategy=StrategySpec("mi"))
        planned = plan_round(tx, "rnd_1", spec, loop_id=None, now=NOW)
        save_round(tx, replace(planned, ensemble_id="ens_1", score_id="scr_1"))
        add_tasks(tx, [LabelTask("tsk_1", "rnd_1", "frm_a", "person", 0, 0.25)], queue="q")
        (bought,) = add_annotations(tx, labels[:1], task_ids=["tsk_1"], now=NOW)
        items = [DatasetItem("frm_a", bought)]
        grown = add_version(
            tx, blobs, parent_id=start, additions=items, purpose="train", round_id="rnd_1", now=NOW
        ).version_id
    return {"pool": pool, "start": start, "start label": start_label, "bought": bought, "grown": grown}


def trace(catalog: Catalog, blobs: BlobStore, node_id: str) -> dict[str, LineageNode]:
    with catalog.transaction() as tx:
        return lineage_of(tx, blobs, node_id)


def test_a_label_leads_to_its_frame_and_its_pixels(catalog: Catalog, blobs: BlobStore, history: dict[str, str]) -> None:
    found = trace(catalog, blobs, history["start label"])
    assert list(found) == [history["start label"], "frm_b", "pixels b"]
    assert found["frm_b"].summary == "d, session d/s, number 0, from it's here"
    assert found["pixels b"].kind == "blob"


def test_a_bought_label_leads_to_the_round_that_asked_and_all_it_stood_on(
    catalog: Catalog, blobs: BlobStore, history: dict[str, str]
) -> None:
    found = trace(catalog, blobs, history["bought"])
    assert found[history["bought"]].parents == (Parent("of", "frm_a"), Parent("asked by", "tsk_1"))
    assert found["tsk_1"].parents == (Parent("of", "frm_a"), Parent("picked in", "rnd_1"))
    assert set(found["rnd_1"].parents) == {
        Parent("trained on", history["start"]),
        Parent("scored by", "ens_1"),
        Parent("scores", "scr_1"),
        Parent("pool", history["pool"]),
    }
    assert {"pixels a", "pixels b", "weight bytes", "encoder bytes"} <= set(found)
    assert history["grown"] not in found


def test_a_version_leads_to_its_parent_and_to_the_labels_it_added(
    catalog: Catalog, blobs: BlobStore, history: dict[str, str]
) -> None:
    found = trace(catalog, blobs, history["grown"])
    parents = found[history["grown"]].parents
    assert Parent("grown from", history["start"]) in parents
    assert Parent("appended by", "rnd_1") in parents
    assert [parent.node_id for parent in parents if parent.relation == "label"] == [history["bought"]]
    assert {"pixels a", "pixels b", history["start label"]} <= set(found)


def test_an_ensemble_leads_to_its_data_its_encoder_and_the_pixels(
    catalog: Catalog, blobs: BlobStore, history: dict[str, str]
) -> None:
    found = trace(catalog, blobs, "ens_1")
    assert found["ens_1"].summary.startswith("1 x prefix-heads, seed 5, ")
    assert found["ens_1"].parents == (
        Parent("trained on", history["start"]),
        Parent("encoder", "enc_1"),
        Parent("weights", "weight bytes"),
    )
    assert {"pixels a", "pixels b", history["pool"], "encoder bytes"} <= set(found)
    assert not {"rnd_1", "tsk_1", history["grown"]} & set(found)


@pytest.mark.parametrize("unknown", ["frm_x", "ann_x", "dsv_x", "rnd_x", "pool_x", "x", "", "frm", "'; --"])
def test_an_id_that_nothing_carries_is_named(catalog: Catalog, blobs: BlobStore, unknown: str) -> None:
    with pytest.raises(NotFound, match="nothing in the catalog carries it"):
        trace(catalog, blobs, unknown)


def test_a_pool_beyond_the_limit_leads_to_its_manifest_instead_of_its_frames(
    catalog: Catalog, blobs: BlobStore, history: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("al_platform.catalog.lineage.LISTED", 1)
    found = trace(catalog, blobs, history["pool"])
    (manifest,) = found[history["pool"]].parents
    assert manifest.relation == "manifest"
    assert list(found) == [history["pool"], manifest.node_id]
