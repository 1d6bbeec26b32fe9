"""What used a scenario: the way of lineage the other way round."""

from al_platform.catalog.connection import Transaction
from al_platform.catalog.datasets import version_table
from al_platform.catalog.policies import all_policies
from al_platform.catalog.scenarios import scenarios_held_out
from al_platform.catalog.tables import rows_of
from al_platform.domain.lineage import Use
from al_platform.domain.policies import PolicyVersion
from al_platform.storage.blobs import BlobStore
from al_platform.storage.suites import read_scenarios


def uses_of(tx: Transaction, blobs: BlobStore, scenario_id: str) -> list[Use]:
    """Give what a scenario was picked and labelled for, what it taught, and what it judged; nothing for other ids.

    Versions and suites list their scenarios in blobs, of which every one that a policy is of is read.
    """
    asked = (
        ("picked for", "SELECT DISTINCT round_id FROM tasks WHERE item_id = ? ORDER BY 1"),
        ("labelled by", "SELECT annotation_id FROM annotations WHERE item_id = ? ORDER BY 1"),
    )
    found = [Use(how, str(row[0])) for how, sql in asked for row in tx.execute(sql, [scenario_id]).fetchall()]
    return found + _taught(tx, blobs, scenario_id) + _judged(tx, blobs, scenario_id)


def _taught(tx: Transaction, blobs: BlobStore, scenario_id: str) -> list[Use]:
    policies: dict[str, list[PolicyVersion]] = {}
    for policy in all_policies(tx):
        policies.setdefault(policy.dataset_version_id, []).append(policy)
    versions, taught = [], []
    for version, trained in policies.items():
        ids = version_table(tx, blobs, version)["item_id"].to_pylist()
        if scenario_id in ids:
            versions.append(Use("part of", version))
            shares = {each.held_out_share for each in trained}
            apart = {share: scenario_id in scenarios_held_out(tx, ids, share) for share in shares}
            taught += [Use("measured" if apart[of.held_out_share] else "taught", of.policy_id) for of in trained]
    return versions + taught


def _judged(tx: Transaction, blobs: BlobStore, scenario_id: str) -> list[Use]:
    found = []
    for row in rows_of(tx, "SELECT suite_id, scenarios_hash FROM suites ORDER BY name"):
        if any(each.scenario_id == scenario_id for each in read_scenarios(blobs, row["scenarios_hash"])):
            sql = "SELECT evaluation_id FROM evaluations WHERE suite_id = ? ORDER BY created_at, evaluation_id"
            judged = tx.execute(sql, [row["suite_id"]]).fetchall()
            found += [Use("part of", row["suite_id"]), *(Use("judged in", str(each[0])) for each in judged)]
    return found
