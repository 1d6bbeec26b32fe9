"""Signs of scenarios: computed once, given again without the scenario, computed anew where the file of them is torn."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from al_platform.datasets.scenarios.store import arrays_of, layout_of, scenario_id_of, scenario_of
from al_platform.domain.progress import Progress
from al_platform.loop.context import LoopContext
from al_platform.loop.signs import signs_of_scenarios
from al_platform.platform.home import open_platform
from al_platform.platform.rounds import loop_context
from al_platform.storage.arrays import ArrayRecord, write_shard
from sim.generator import scene
from sim.preparing import prepare
from sim.signs import SIGNS, signs_of
from tests.fleet import settings_of
from tests.scenes import SIZES


@cache
def record(number: int) -> ArrayRecord:
    arrays = arrays_of(prepare(scene(0, number), SIZES).scenario)
    return ArrayRecord(scenario_id_of(arrays), {"name": f"lanes/drive/{number}", "tags": []}, arrays)


def ids(*numbers: int) -> list[str]:
    return [record(number).record_id for number in numbers]


def signs(*numbers: int) -> NDArray[np.float64]:
    """Computed here and now."""
    return np.stack([signs_of(scenario_of(record(number).arrays).log) for number in numbers])


def keep(context: LoopContext, *numbers: int) -> Path:
    """Put scenes into the store and give its file."""
    folder = Path(context.workplace.scenarios_folder)
    before = set(folder.rglob("*")) if folder.exists() else set()
    write_shard(folder, [record(number) for number in numbers], layout=layout_of(SIZES))
    return next(path for path in sorted(set(folder.rglob("*")) - before) if path.is_file())


def anew(context: LoopContext) -> LoopContext:
    """As the next process finds things."""
    context.caches.forget()
    return context


@pytest.fixture
def computed() -> list[int]:
    """How many scenes each computation of signs set out to read."""
    return []


@pytest.fixture
def context(tmp_path: Path, computed: list[int]) -> Iterator[LoopContext]:
    def listen(progress: Progress) -> None:
        if progress.done == 0:
            computed.append(progress.total)

    with open_platform(settings_of(tmp_path / "home")) as platform:
        yield replace(loop_context(platform), report=listen)


def test_signs_are_computed_once_and_for_what_is_missing_only(context: LoopContext, computed: list[int]) -> None:
    keep(context, 0, 1, 2)
    np.testing.assert_array_equal(signs_of_scenarios(context, ids(1, 0)), signs(1, 0))
    assert computed == [2]
    np.testing.assert_array_equal(signs_of_scenarios(anew(context), ids(0, 1, 2, 0)), signs(0, 1, 2, 0))
    assert computed == [2, 1]
    np.testing.assert_array_equal(signs_of_scenarios(anew(context), ids(2, 1, 0)), signs(2, 1, 0))
    assert computed == [2, 1]
    assert signs_of_scenarios(context, []).shape == (0, len(SIGNS))


def test_what_cannot_be_read_has_no_signs_until_it_is_there(context: LoopContext, computed: list[int]) -> None:
    keep(context, 0)
    found = signs_of_scenarios(context, ids(1, 0))
    assert np.isnan(found[0]).all()
    np.testing.assert_array_equal(found[1:], signs(0))
    keep(context, 1)
    np.testing.assert_array_equal(signs_of_scenarios(context, ids(1, 0)), signs(1, 0))
    assert computed == [2, 1]


@pytest.mark.parametrize("ending", ["npy", "ids"])
def test_torn_files_of_signs_are_computed_again(context: LoopContext, computed: list[int], ending: str) -> None:
    keep(context, 0, 1)
    signs_of_scenarios(context, ids(0, 1))
    (path,) = (context.caches.folder / "signs").rglob(f"*.{ending}")
    path.write_bytes(path.read_bytes()[:-30])
    np.testing.assert_array_equal(signs_of_scenarios(anew(context), ids(0, 1)), signs(0, 1))
    assert computed == [2, 2]


def test_signs_that_are_known_need_no_store(context: LoopContext) -> None:
    shard = keep(context, 0, 1)
    signs_of_scenarios(context, ids(0, 1))
    shard.write_bytes(b"")
    np.testing.assert_array_equal(signs_of_scenarios(anew(context), ids(0, 1)), signs(0, 1))
