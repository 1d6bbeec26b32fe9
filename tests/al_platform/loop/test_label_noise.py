"""Doubt in labels reaches the training of a round, and only where it is asked for."""

from dataclasses import replace

import pytest

from al_platform.catalog.answers import add_answers
from al_platform.catalog.datasets import version_items
from al_platform.catalog.tasks import tasks_of
from al_platform.domain.labels import Answer, Box
from al_platform.domain.rounds import RoundSpec
from al_platform.loop.label_noise import loss_weights
from al_platform.loop.train import train_round
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context, run_one_round
from tests.fleet import START, round_spec

pytestmark = pytest.mark.story
PERSON, CAR = (Box(name, 0, 0, 50, 50) for name in ("person", "car"))


def doubting(spec: RoundSpec, doubt: float) -> RoundSpec:
    return replace(spec, model=replace(spec.model, training=replace(spec.model.training, doubt=doubt)))


def test_doubted_labels_weigh_less_and_make_another_ensemble(platform: Platform) -> None:
    spec = round_spec(platform, "random", budget=3, test="")
    round_ = run_one_round(platform, spec)
    context = loop_context(platform)
    after = replace(spec, dataset_version_id=round_.dataset_version_id or "")
    trusting, sure = train_round(context, after), train_round(context, doubting(after, 0.5))
    with platform.catalog.transaction() as tx:
        disputed, agreed, _ = tasks_of(tx, round_.round_id)
        said = [
            Answer(task.task_id, f"{task.task_id} {who}", who, "2026-01-01T00:00:00.000000Z", boxes=(box,))
            for task, boxes in ((disputed, (PERSON, CAR)), (agreed, (PERSON, PERSON)))
            for who, box in zip(("ann", "bob"), boxes, strict=True)
        ]
        add_answers(tx, said)
        items = version_items(tx, platform.blobs, after.dataset_version_id)
    weights = loss_weights(context, items, doubt=0.5)
    assert weights is not None
    by_frame = dict(zip((item.item_id for item in items), weights.tolist(), strict=True))
    assert by_frame.pop(disputed.item_id) == 0.5  # agreement 0
    assert by_frame.pop(agreed.item_id) == 0.75  # agreement 1, by people who agree on one of two
    assert set(by_frame.values()) == {1.0}
    assert len(by_frame) == START + 1
    assert loss_weights(context, items, doubt=0.0) is None
    assert train_round(context, after) == replace(trusting, cached=True, training_id="", cost=None)
    doubted = train_round(context, doubting(after, 0.5))
    assert len({trusting.ensemble_id, sure.ensemble_id, doubted.ensemble_id}) == 3
