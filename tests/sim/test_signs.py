"""Signs of bad recordings: each kind of damage shows in its own, a sound scene in none."""

import numpy as np
import pytest

from sim.generator import scene
from sim.preparing import prepare
from sim.recording import Recording
from sim.scenario import Sizes
from sim.signs import SIGNS, signs_of
from tests.damage import DAMAGE, damaged
from tests.scenes import SIZES

NUMBERS = range(3)
SHOWN_BY = {"jumping": ("jump",), "standing": ("ego jump", "ego jerk"), "swapped": ("misfits",)}


def signs(recording: Recording, sizes: Sizes = SIZES) -> dict[str, float]:
    return dict(zip(SIGNS, signs_of(prepare(recording, sizes).scenario.log), strict=True))


@pytest.mark.parametrize("kind", DAMAGE)
def test_every_kind_of_damage_shows_in_its_sign(kind: str) -> None:
    for number in NUMBERS:
        sound, bad = signs(scene(0, number)), signs(damaged(0, number, kind))
        for name in SHOWN_BY[kind]:
            assert bad[name] > sound[name] + 0.3, (number, name)


def test_a_sound_scene_shows_nothing_but_how_many_drive_and_how_fast() -> None:
    for number in NUMBERS:
        found = signs(scene(0, number))
        assert all(np.isfinite(value) and value >= 0.0 for value in found.values())
        assert all(found[name] == 0.0 for name in ("jumps", "holes", "misfits", "sideways"))
        assert max(found["jump"], found["ego jump"]) < np.log1p(0.25)


def test_room_that_nobody_fills_changes_no_sign() -> None:
    recording = damaged(0, 0, "jumping")
    steps = recording.agents.valid.shape[1]
    tight = prepare(recording, Sizes(agents=64, steps=steps, route_points=256, lanes=4, roads=256, tiles=40))
    roomy = prepare(recording, Sizes(agents=96, steps=steps + 20, route_points=256, lanes=4, roads=256, tiles=40))
    np.testing.assert_array_equal(signs_of(tight.scenario.log), signs_of(roomy.scenario.log))
