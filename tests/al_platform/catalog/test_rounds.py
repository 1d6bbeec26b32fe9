"""Rounds, steps, ensembles and experiments: entered once, read back as they were."""

from dataclasses import replace

import pytest

from al_platform.catalog import experiments, models, rounds
from al_platform.catalog.connection import Catalog
from al_platform.catalog.loops import add_loop
from al_platform.catalog.rounds import StepRun
from al_platform.domain.loops import LoopSpec
from al_platform.domain.models import EnsembleVersion, ModelSpec, ModelVersion
from al_platform.domain.rounds import Budget, Round, RoundSpec, RoundState
from al_platform.errors import NotFound

NOW = "2026-01-31 12:00:00.000000"
LATER = "2026-01-31 12:00:00.000001"
MODEL = ModelSpec(('it\'s "é"', "person"), members=2, options={"hidden": 4})
SPEC = RoundSpec(MODEL, "dsv_1", "pool_1", ("person",), Budget(3), queue="it's; a queue")


def test_a_round_is_entered_once_and_read_back_as_far_as_it_is(catalog: Catalog) -> None:
    with catalog.transaction() as tx:
        planned = rounds.plan_round(tx, "rnd_1", SPEC, loop_id=None, now=NOW)
        assert planned == Round("rnd_1", SPEC)
        moved = replace(planned, state=RoundState.TRAINED, ensemble_id="ens_1", message='it\'s "é"; --')
        rounds.save_round(tx, moved)
        scored = replace(moved, state=RoundState.SCORED, score_id="scr_1", dataset_version_id="dsv_2")
        rounds.save_round(tx, scored)
    with catalog.transaction() as tx:
        assert rounds.plan_round(tx, "rnd_1", SPEC, loop_id=None, now=LATER) == scored
        with pytest.raises(NotFound, match=r"round rnd_x: .* `alp round list`"):
            rounds.round_named(tx, "rnd_x")


def test_rounds_are_listed_oldest_first_all_or_of_one_loop(catalog: Catalog) -> None:
    with catalog.transaction() as tx:
        assert rounds.all_rounds(tx) == []
        add_loop(tx, "loop_1", LoopSpec(SPEC, 2), now=NOW)
        add_loop(tx, "loop_1", LoopSpec(SPEC, 2), now=LATER)
        for round_id, loop_id, now in (("rnd_a", "loop_1", LATER), ("rnd_c", None, NOW), ("rnd_b", "loop_1", NOW)):
            rounds.plan_round(tx, round_id, SPEC, loop_id=loop_id, now=now)
        assert [each.round_id for each in rounds.all_rounds(tx)] == ["rnd_b", "rnd_c", "rnd_a"]
        assert [each.round_id for each in rounds.all_rounds(tx, loop_id="loop_1")] == ["rnd_b", "rnd_a"]


@pytest.mark.parametrize("started_at", [NOW, LATER, "2026-01-31 12:00:00.500000"])
def test_a_step_is_recorded_once_and_comes_back_as_it_was(catalog: Catalog, started_at: str) -> None:
    run = StepRun("train", started_at, 2.0, True, {"id": "7", "n": 7, "x": 0.5, "it's": "é"}, {"jax": "0.10"})
    with catalog.transaction() as tx:
        rounds.record_step(tx, "rnd_1", run)
        rounds.record_step(tx, "rnd_1", replace(run, seconds=9.0))
        rounds.record_step(tx, "rnd_1", replace(run, step="score", started_at="2026-01-31 11:59:00.000000"))
    with catalog.transaction() as tx:
        scored, trained = rounds.steps_of(tx, "rnd_1")
        assert trained == run
        assert [type(value) for value in trained.outputs.values()] == [str, str, int, float]
        assert scored.step == "score"
        assert rounds.steps_of(tx, "rnd_x") == []


def test_an_ensemble_comes_back_as_it_was(catalog: Catalog) -> None:
    members = (ModelVersion(0, 25, 3.4028234663852886e38, 1.0), ModelVersion(1, 50, 0.1, 0.125))
    ensemble = EnsembleVersion("ens_1", MODEL, "dsv_1", "enc_1", 7, "ab", members)
    with catalog.transaction() as tx:
        assert models.find_ensemble(tx, "ens_1") is None
        models.add_ensemble(tx, ensemble, now=NOW)
        models.add_ensemble(tx, replace(ensemble, seed=8), now=NOW)
        assert models.ensemble_named(tx, "ens_1") == ensemble
        with pytest.raises(NotFound, match="ensemble ens_x: not in the catalog"):
            models.ensemble_named(tx, "ens_x")


def test_metrics_that_are_undefined_are_left_out(catalog: Catalog) -> None:
    measured = {"ap": {"person": 0.5, "it's": 0.25, "rare": float("nan")}, "ce": {"person": float("inf")}}
    with catalog.transaction() as tx:
        models.add_metrics(tx, "ens_1", "dsv_t", measured)
        models.add_metrics(tx, "ens_1", "dsv_t", {"ap": {"person": 0.75}})
        models.add_metrics(tx, "ens_2", "dsv_t", {})
        assert models.metrics_of(tx, "ens_1", "dsv_t") == {"ap": {"it's": 0.25, "person": 0.5}}
        assert models.metrics_of(tx, "ens_2", "dsv_t") == {}


def test_encoders_are_found_by_id_or_not_at_all(catalog: Catalog) -> None:
    with catalog.transaction() as tx:
        assert models.encoder_blob(tx, "enc_1") is None
        models.add_encoder(tx, "enc_1", family="f", pool_id="pool_1", blob_hash="ab", now=NOW)
        assert models.encoder_blob(tx, "enc_1") == "ab"


def test_points_of_an_experiment_are_kept_once_and_ordered(catalog: Catalog) -> None:
    with catalog.transaction() as tx:
        experiments.add_experiment(tx, "exp_1", '{"it\'s":"é"}', now=NOW)
        experiments.add_experiment(tx, "exp_1", "{}", now=LATER)
        experiments.add_experiment(tx, "exp_0", "{}", now=NOW)
        assert not experiments.arm_is_done(tx, "exp_1", arm="mi", seed=0)
        experiments.add_points(tx, "exp_1", arm="mi", seed=0, points=[(1, "rnd_1", "{}"), (0, None, "[]")])
        experiments.add_points(tx, "exp_1", arm="mi", seed=0, points=[(0, None, "[1]"), (1, "rnd_1", "[1]")])
        experiments.add_points(tx, "exp_1", arm="entropy", seed=0, points=[(0, None, "[2]")])
        experiments.add_points(tx, "exp_1", arm="none", seed=0, points=[])
        assert experiments.points_of(tx, "exp_1") == ["[2]", "[]", "{}"]
        assert experiments.arm_is_done(tx, "exp_1", arm="mi", seed=0)
        assert not experiments.arm_is_done(tx, "exp_1", arm="mi", seed=1)
        assert experiments.rounds_of_experiment(tx, "exp_1", seed=0) == [("mi", 1, "rnd_1")]
        assert experiments.experiment_spec(tx, "exp_1") == '{"it\'s":"é"}'
        assert [(row["experiment_id"], row["points"]) for row in experiments.all_experiments(tx)] == [
            ("exp_0", 0),
            ("exp_1", 3),
        ]
        with pytest.raises(NotFound, match=r"experiment exp_x: .* `alp experiments`"):
            experiments.experiment_spec(tx, "exp_x")
