"""Driving policies: trained, listed, and shown with their learning curves."""

from al_platform.catalog import policies as policy_catalog
from al_platform.catalog.datasets import add_version
from al_platform.catalog.scenarios import scenarios_matching
from al_platform.domain.clock import utc_now
from al_platform.domain.datasets import DatasetItem, DatasetVersion
from al_platform.domain.paging import Page, PageRequest
from al_platform.domain.policies import PolicyVersion
from al_platform.domain.policy_requests import PolicyRequest
from al_platform.errors import InvalidInput
from al_platform.loop import policies as training
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context
from al_platform.policies.curve import Curve, read_curve

_VERSION = "dsv_"
"""What the ids of dataset versions begin with; no filter does."""


def train_policy(platform: Platform, request: PolicyRequest) -> PolicyVersion:
    """Train a policy by a job, or find it: equal inputs are one job, and are never trained twice.

    Raises: as `loop.policies.train_policy`.
    """
    return training.train_policy(loop_context(platform), request).policy


def scenario_version(platform: Platform, filter_text: str, *, purpose: str = "policy") -> DatasetVersion:
    """Make the dataset version of all scenarios that a filter matches, taken in without triage.

    Raises: InvalidInput for a filter that does not parse or matches nothing.
    """
    with platform.catalog.transaction() as tx:
        ids = scenarios_matching(tx, filter_text)["scenario_id"].to_pylist()
        if not ids:
            raise InvalidInput(f"filter {filter_text!r}: no scenario matches; `alp scenarios list` shows what there is")
        items = [DatasetItem(scenario_id, "") for scenario_id in ids]
        return add_version(
            tx, platform.blobs, parent_id=None, additions=items, purpose=purpose, round_id=None, now=utc_now()
        )


def version_of(platform: Platform, text: str) -> str:
    """Give the id of a dataset version that is named, or of the one of all scenarios that a filter matches now.

    Raises: as `scenario_version`.
    """
    return text if text.startswith(_VERSION) else scenario_version(platform, text).version_id


def policies(platform: Platform) -> list[PolicyVersion]:
    """Give every policy, oldest first."""
    with platform.catalog.transaction() as tx:
        return policy_catalog.all_policies(tx)


def policies_page(platform: Platform, page: PageRequest) -> Page[PolicyVersion]:
    """Give policies, newest first."""
    with platform.catalog.transaction() as tx:
        return policy_catalog.policies_page(tx, page)


def policy(platform: Platform, policy_id: str) -> PolicyVersion:
    """Give a policy.

    Raises: NotFound for an unknown id.
    """
    with platform.catalog.transaction() as tx:
        return policy_catalog.policy_named(tx, policy_id)


def curve_of(platform: Platform, policy_id: str) -> Curve:
    """Give the learning curve of a policy.

    Raises: NotFound for an unknown id; CorruptBlob where the curve was damaged.
    """
    return read_curve(platform.blobs, policy(platform, policy_id).curve_hash)
