"""Claims about the order in which control items are drawn."""

import numpy as np

from acquisition.control import control_order, draw_keys


def test_every_session_has_its_turn_before_any_has_a_second() -> None:
    sessions = np.repeat(np.arange(20), np.arange(1, 21))
    order = control_order(np.arange(sessions.size), sessions, seed=3)
    assert sorted(order.tolist()) == list(range(sessions.size))
    assert sorted(sessions[order[:20]].tolist()) == list(range(20))
    assert sorted(sessions[order[20:39]].tolist()) == list(range(1, 20))


def test_the_order_is_that_of_the_seed_and_of_nothing_else() -> None:
    rows, sessions = np.arange(500) * 7, np.arange(500) // 9
    order = control_order(rows, sessions, seed=1)
    shuffled = np.random.default_rng(0).permutation(500)
    again = control_order(rows[shuffled], sessions[shuffled], seed=1)
    np.testing.assert_array_equal(rows[order], rows[shuffled][again])
    assert rows[control_order(rows, sessions, seed=2)].tolist() != rows[order].tolist()


def test_who_leaves_a_session_changes_no_one_elses_order_in_it() -> None:
    rows = np.arange(50)
    order = control_order(rows, np.zeros(50, int), seed=5)
    fewer = np.delete(rows, order[10])
    assert fewer[control_order(fewer, np.zeros(49, int), seed=5)].tolist() == np.delete(order, 10).tolist()


def test_the_numbers_drawn_are_uniform_and_known() -> None:
    keys = draw_keys(np.arange(100_000), seed=0, stream="row") / 2.0**64
    counts = np.histogram(keys, bins=50, range=(0, 1))[0]
    assert (counts - 2000).std() < 4 * np.sqrt(2000)
    assert np.unique(keys).size == 100_000
    # The stored selections of the past rest on these numbers.
    assert draw_keys(np.array([0, 1]), seed=7, stream="session").tolist() == EXPECTED


EXPECTED = [16458190315739006963, 3296575131202917303]
