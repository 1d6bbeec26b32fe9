"""Distributions are those of the frames that a filter matches, counted one by one."""

import numpy as np
import pytest

from al_platform.catalog.bulk import add_frame_rows
from al_platform.catalog.connection import Catalog
from al_platform.catalog.distributions import BINS, SHOWN_VALUES, histogram, value_counts
from al_platform.errors import InvalidInput
from tests.al_platform.catalog.bulk_rows import columns

COUNT = 30
WEATHER = ["rain", "clear", "clear"] * (COUNT // 3)
BRIGHTNESS = np.random.default_rng(3).uniform(20, 200, COUNT).astype(np.float32)


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    own = [f'{{"weather": "{weather}", "number": {row}}}' for row, weather in enumerate(WEATHER)]
    with catalog.transaction() as tx:
        add_frame_rows(tx, columns(COUNT, tags=own, brightness=BRIGHTNESS))
    return catalog


def test_values_are_counted_over_the_matching_frames_the_most_frequent_first(filled: Catalog) -> None:
    with filled.transaction() as tx:
        found = {one.name: one for one in value_counts(tx, "")}
        rain = {one.name: one for one in value_counts(tx, "weather=rain")}
    assert found["weather"].values == (("clear", 20), ("rain", 10))
    assert found["dataset"].values == (("d", COUNT),)
    assert (found["number"].frames, len(found["number"].values)) == (COUNT, SHOWN_VALUES)
    assert rain["weather"].values == (("rain", 10),)
    assert rain["number"].frames == 10


def test_a_histogram_is_that_of_numpy(filled: Catalog) -> None:
    with filled.transaction() as tx:
        found = histogram(tx, "", "brightness")
    expected, edges = np.histogram(BRIGHTNESS.astype(np.float64), bins=BINS)
    assert list(found.counts) == expected.tolist()
    assert (found.low, found.high) == pytest.approx((edges[0], edges[-1]))


def test_measures_that_nobody_took_or_that_are_all_the_same_have_no_bins(filled: Catalog) -> None:
    with filled.transaction() as tx:
        assert histogram(tx, "", "sharpness").counts == ()
        assert histogram(tx, "frame_id=f0", "brightness").counts == ()
        with pytest.raises(InvalidInput, match="known are brightness, sharpness"):
            histogram(tx, "", "1; DROP TABLE frames")
        with pytest.raises(InvalidInput, match="no frame carries it"):
            value_counts(tx, "colour=red")
