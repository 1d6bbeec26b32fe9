"""What drivers do not learn from: whole sessions, the same ones whatever joins, and only where there are enough."""

import pytest

from al_platform.domain.holding_out import held_out_among

MANY = {f"scn_{number}": f"town/drive {number // 2}" for number in range(2_000)}


@pytest.mark.parametrize("share", [0.02, 0.1, 0.5, 0.9])
def test_about_the_share_of_the_sessions_is_held_out_each_of_them_whole(share: float) -> None:
    apart = held_out_among(MANY, share)
    sessions = {MANY[name] for name in apart}
    assert apart == {name for name, session in MANY.items() if session in sessions}
    assert len(sessions) == pytest.approx(1_000 * share, abs=4 * (1_000 * share * (1 - share)) ** 0.5)


def test_a_session_stays_on_its_side_whatever_joins() -> None:
    early = dict(list(MANY.items())[:200])
    assert held_out_among(early, 0.1) == held_out_among(MANY, 0.1) & early.keys()
    assert held_out_among(MANY, 0.1) < held_out_among(MANY, 0.2)


def test_too_few_sessions_hold_nothing_out() -> None:
    assert held_out_among({"scn_0": "a", "scn_1": "a"}, 0.999) == set()
    assert held_out_among(MANY, 0.0) == set()
    assert held_out_among({}, 0.5) == set()
