"""What may be picked, from the definition: every limit looked at for one item at a time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from hypothesis import strategies as st

from acquisition import Limits
from acquisition.control import control_order


@st.composite
def some_limits(draw: st.DrawFn) -> Limits:
    """Limits that bind in small pools, in every combination."""
    return Limits(
        session_cap=draw(st.sampled_from([None, 1, 2, 5])),
        minimum_gap_s=draw(st.sampled_from([0.0, 0.1, 0.3, 1.0, 2.5])),
        group_quota=draw(st.sampled_from([None, 1, 4])),
        minimum_distance=draw(st.sampled_from([0.0, 0.0, 1.0, 2.5])),
        control_share=draw(st.sampled_from([0.0, 0.1, 0.25, 0.4])),
    )


def may_follow(pool: Mapping[str, Any], item: int, picked: list[int]) -> bool:
    """Say whether the limits of a pool let an item follow these picks."""
    limits, sessions, clocks = pool["limits"], pool["session_ids"], pool["timestamps_s"]
    groups, embeddings = pool["group_codes"], pool["embeddings_ND"].astype(np.float64)
    if item in picked or pool["excluded"][item]:
        return False
    same = [other for other in picked if sessions[other] == sessions[item]]
    if limits.session_cap is not None and len(same) >= limits.session_cap:
        return False
    in_group = sum(groups[other] == groups[item] for other in picked)
    if limits.group_quota is not None and groups[item] >= 0 and in_group >= limits.group_quota:
        return False
    others = np.concatenate([pool.get("apart_from_LD", embeddings[:0]), embeddings[picked]])
    if (((others - embeddings[item]) ** 2).sum(axis=1) < limits.minimum_distance**2).any():
        return False
    return not any(abs(clocks[other] - clocks[item]) < limits.minimum_gap_s for other in same)


def drawn_order(pool: Mapping[str, Any]) -> list[int]:
    """The order in which control takes the items of a pool."""
    everything = np.flatnonzero(~pool["excluded"])
    codes = np.unique(pool["session_ids"], return_inverse=True)[1]
    return everything[control_order(everything, codes[everything], seed=pool["seed"])].tolist()
