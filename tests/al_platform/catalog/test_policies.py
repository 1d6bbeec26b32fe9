from dataclasses import replace

import pytest

from al_platform.catalog.connection import Catalog
from al_platform.catalog.policies import add_policy, all_policies, find_policy, policy_named
from al_platform.domain.policies import CloningRecipe, PolicySpec, PolicyVersion, PracticeRecipe
from al_platform.errors import NotFound

CLONE = PolicyVersion("pol_1", PolicySpec(cloning=CloningRecipe()), "ds_1", None, 0, "weights-1", "curve-1")
PRACTISED = PolicyVersion("pol_0", PolicySpec(practice=PracticeRecipe()), "ds_1", "pol_1", 7, "weights-0", "curve-0")


def test_what_is_kept_comes_back_oldest_first(catalog: Catalog) -> None:
    with catalog.transaction() as tx:
        add_policy(tx, CLONE, now="2026-01-01 00:00:00")
        add_policy(tx, PRACTISED, now="2026-01-02 00:00:00")
        assert all_policies(tx) == [CLONE, PRACTISED]
        assert policy_named(tx, "pol_0") == PRACTISED


def test_a_policy_stays_what_it_first_was(catalog: Catalog) -> None:
    with catalog.transaction() as tx:
        add_policy(tx, CLONE, now="2026-01-01 00:00:00")
        add_policy(tx, replace(CLONE, weights_hash="other"), now="2026-01-02 00:00:00")
        assert all_policies(tx) == [CLONE]


def test_a_policy_that_nobody_trained_is_not_found(catalog: Catalog) -> None:
    with catalog.transaction() as tx:
        assert find_policy(tx, "pol_9") is None
        with pytest.raises(NotFound, match="policy pol_9: not in the catalog; `alp policy list`"):
            policy_named(tx, "pol_9")
