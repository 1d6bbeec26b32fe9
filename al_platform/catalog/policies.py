"""Trained policies."""

from collections.abc import Mapping
from typing import Any

from al_platform.catalog.connection import Transaction
from al_platform.catalog.pages import page_of
from al_platform.catalog.tables import insert_missing, rows_of
from al_platform.domain.hashing import canonical_json
from al_platform.domain.paging import Page, PageRequest
from al_platform.domain.policies import PolicyVersion
from al_platform.domain.records import record_from_json
from al_platform.errors import NotFound

_POLICIES = "(SELECT policy_id, policy, strftime(created_at, '%Y-%m-%d %H:%M:%S.%f') AS created_at FROM policies)"


def add_policy(tx: Transaction, policy: PolicyVersion, *, now: str) -> None:
    """Keep a trained policy; keeping it again changes nothing."""
    insert_missing(
        tx,
        "policies",
        {
            "policy_id": [policy.policy_id],
            "dataset_version_id": [policy.dataset_version_id],
            "parent_id": [policy.parent_id],
            "weights_hash": [policy.weights_hash],
            "curve_hash": [policy.curve_hash],
            "policy": [canonical_json(policy)],
            "created_at": [now],
        },
    )


def find_policy(tx: Transaction, policy_id: str) -> PolicyVersion | None:
    """Give a policy, None where there is none of this id."""
    rows = tx.execute("SELECT policy FROM policies WHERE policy_id = ?", [policy_id]).fetchall()
    return record_from_json(PolicyVersion, rows[0][0]) if rows else None


def policy_named(tx: Transaction, policy_id: str) -> PolicyVersion:
    """Give a policy.

    Raises: NotFound for an unknown id.
    """
    policy = find_policy(tx, policy_id)
    if policy is None:
        raise NotFound(f"policy {policy_id}: not in the catalog; `alp policy list` shows what there is")
    return policy


def all_policies(tx: Transaction) -> list[PolicyVersion]:
    """Give every policy, oldest first."""
    rows = rows_of(tx, "SELECT policy FROM policies ORDER BY created_at, policy_id")
    return [_policy(row) for row in rows]


def policies_page(tx: Transaction, page: PageRequest) -> Page[PolicyVersion]:
    """Give policies, newest first."""
    order = {"created_at": str, "policy_id": str}
    return page_of(tx, _POLICIES, page=page, order=order, make=_policy, newest_first=True)


def _policy(row: Mapping[str, Any]) -> PolicyVersion:
    return record_from_json(PolicyVersion, row["policy"])
