from dataclasses import replace
from pathlib import Path

import pytest

from al_platform.domain.policies import CurvePoint
from al_platform.errors import CorruptBlob, InvalidInput
from al_platform.policies.curve import Curve, GrowingCurve, read_curve, write_curve
from al_platform.policies.pictures import draw_curves
from al_platform.storage.blobs import BlobStore

CURVE = Curve(
    tuple(
        CurvePoint(step, 100 * step, {"failure": 1.0 / (1 + step), "progress_ratio": 0.9}, {"loss": 2.0})
        for step in (0, 5, 10)
    )
)


def test_a_curve_comes_back_from_storage(tmp_path: Path) -> None:
    blobs = BlobStore(str(tmp_path))
    assert read_curve(blobs, write_curve(blobs, CURVE)) == CURVE
    with pytest.raises(CorruptBlob, match="holds no learning curve"):
        read_curve(blobs, blobs.put(b"{}{").hash)


def test_a_growing_curve_is_taken_up_where_its_training_goes_on(tmp_path: Path) -> None:
    growing = GrowingCurve(tmp_path / "run.curve.json")
    assert growing.read() == Curve()
    growing.write(CURVE)
    assert GrowingCurve(tmp_path / "run.curve.json").read().until(5).points == CURVE.points[:2]
    growing.clear()
    assert growing.read() == Curve()


@pytest.mark.parametrize(("kind", "head"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_curves_are_drawn(kind: str, head: bytes) -> None:
    drawn = draw_curves({"cloning": CURVE}, kind=kind)
    assert drawn.startswith(head)
    assert draw_curves({"cloning": CURVE}, kind=kind) == drawn


def test_a_curve_that_nothing_was_held_out_for_shows_its_loss() -> None:
    bare = Curve(tuple(replace(point, measures={}) for point in CURVE.points))
    drawn = draw_curves({"cloning": bare}, kind="svg").decode()
    assert ">loss</text>" in drawn
    assert "failures" not in drawn
    assert ">loss</text>" not in draw_curves({"cloning": CURVE}, kind="svg").decode()


def test_what_cannot_be_drawn_is_told() -> None:
    with pytest.raises(InvalidInput, match="must be one of png, svg"):
        draw_curves({"cloning": CURVE}, kind="jpg")
    with pytest.raises(InvalidInput, match="nothing was measured"):
        draw_curves({"cloning": Curve()}, kind="png")
