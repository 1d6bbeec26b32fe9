"""Suites, evaluations of policies on them, and driver licences."""

from collections.abc import Mapping
from typing import Any

from al_platform.catalog.connection import Transaction
from al_platform.catalog.filters import Condition
from al_platform.catalog.pages import page_of
from al_platform.catalog.tables import insert_missing, rows_of
from al_platform.domain.hashing import canonical_json
from al_platform.domain.judging import PROGRESS, Evaluation, JudgeSpec, Suite
from al_platform.domain.licences import Licence, LicenceSpec
from al_platform.domain.paging import Page, PageRequest
from al_platform.domain.records import record_from_json
from al_platform.errors import InvalidInput, NotFound

_SUITE = ("suite_id", "name", "filter", "scenarios", "scenarios_hash")
_BEST_FIRST = {"failure": float, "behind": float, "evaluation_id": str}
_NEVER_AHEAD = 1e9
"""In place of a progress that no scenario has; less than any progress."""


def add_suite(tx: Transaction, suite: Suite, *, now: str) -> None:
    """Keep a suite whose name is free; keeping it again changes nothing."""
    insert_missing(tx, "suites", {**{name: [getattr(suite, name)] for name in _SUITE}, "created_at": [now]})


def suite_named(tx: Transaction, which: str) -> Suite:
    """Give a suite by its name or id.

    Raises: NotFound where there is none.
    """
    suite = find_suite(tx, which)
    if suite is None:
        raise NotFound(f"suite {which!r}: not in the catalog; `alp policy suites` shows what there is")
    return suite


def find_suite(tx: Transaction, which: str) -> Suite | None:
    """Give a suite by its name or id, None where there is none."""
    rows = rows_of(tx, "SELECT * FROM suites WHERE name = ? OR suite_id = ?", [which, which])
    return _suite(rows[0]) if rows else None


def suites_page(tx: Transaction, page: PageRequest) -> Page[Suite]:
    """Give suites by name."""
    return page_of(tx, "suites", page=page, order={"name": str}, make=_suite)


def add_evaluation(tx: Transaction, evaluation: Evaluation, *, now: str) -> None:
    """Keep an evaluation; the first of its id stays."""
    progress = evaluation.measures.get(PROGRESS)
    insert_missing(
        tx,
        "evaluations",
        {
            "evaluation_id": [evaluation.evaluation_id],
            "policy_id": [evaluation.policy_id],
            "suite_id": [evaluation.suite_id],
            "spec": [canonical_json(evaluation.spec)],
            "failure": [evaluation.measures["failure"].mean],
            "behind": [_NEVER_AHEAD if progress is None else -progress.mean],
            "evaluation": [canonical_json(evaluation)],
            "created_at": [now],
        },
    )


def find_evaluation(tx: Transaction, evaluation_id: str) -> Evaluation | None:
    """Give an evaluation, None where there is none of this id."""
    rows = rows_of(tx, "SELECT evaluation FROM evaluations WHERE evaluation_id = ?", [evaluation_id])
    return _evaluation(rows[0]) if rows else None


def evaluation_named(tx: Transaction, evaluation_id: str) -> Evaluation:
    """Give an evaluation.

    Raises: NotFound for an unknown id.
    """
    found = find_evaluation(tx, evaluation_id)
    if found is None:
        raise NotFound(f"evaluation {evaluation_id}: not in the catalog; `alp policy leaderboard` shows what there is")
    return found


def evaluations_page(tx: Transaction, suite_id: str, spec: JudgeSpec, page: PageRequest) -> Page[Evaluation]:
    """Give the evaluations on a suite that were judged alike: by failure rate, then by progress, the best first."""
    where = Condition("suite_id = ? AND spec = ?", (suite_id, canonical_json(spec)))
    return page_of(tx, "evaluations", page=page, order=_BEST_FIRST, make=_evaluation, where=where)


def evaluations_of_page(tx: Transaction, policy_id: str, page: PageRequest) -> Page[Evaluation]:
    """Give evaluations by suite and id, of one policy or ("") of all."""
    where = Condition("policy_id = ? OR ? = ''", (policy_id, policy_id))
    order = {"suite_id": str, "evaluation_id": str}
    return page_of(tx, "evaluations", page=page, order=order, make=_evaluation, where=where)


def better_evaluations(tx: Transaction, than: Evaluation) -> int:
    """Count the evaluations that stand before this one."""
    sql = (
        "SELECT count(*) FROM evaluations AS one JOIN evaluations AS other USING (suite_id, spec) "
        "WHERE one.evaluation_id = ? "
        "AND (other.failure, other.behind, other.evaluation_id) < (one.failure, one.behind, one.evaluation_id)"
    )
    return int(tx.execute(sql, [than.evaluation_id]).fetchall()[0][0])


def add_licence_spec(tx: Transaction, spec: LicenceSpec, *, now: str) -> None:
    """Keep what a licence asks for.

    Raises: InvalidInput for a name under which something else is asked for.
    """
    check_licence_spec(tx, spec)
    insert_missing(tx, "licence_specs", {"name": [spec.name], "spec": [canonical_json(spec)], "created_at": [now]})


def check_licence_spec(tx: Transaction, spec: LicenceSpec) -> None:
    """Refuse another meaning for a name.

    Raises: InvalidInput for a name under which something else is asked for.
    """
    frozen = find_licence_spec(tx, spec.name)
    if frozen is not None and canonical_json(frozen) != canonical_json(spec):
        raise InvalidInput(
            f"licence {spec.name!r}: asks for something else since it was first decided on; give another name"
        )


def find_licence_spec(tx: Transaction, name: str) -> LicenceSpec | None:
    """Give what the licence of this name asks for, None where there is none."""
    rows = tx.execute("SELECT spec FROM licence_specs WHERE name = ?", [name]).fetchall()
    return record_from_json(LicenceSpec, rows[0][0]) if rows else None


def licence_named(tx: Transaction, licence_id: str) -> Licence:
    """Give a decision.

    Raises: NotFound for an unknown id.
    """
    found = find_licence(tx, licence_id)
    if found is None:
        raise NotFound(f"licence {licence_id}: nothing was decided under this id")
    return found


def licence_specs_page(tx: Transaction, page: PageRequest) -> Page[LicenceSpec]:
    """Give what licences ask for, by name."""
    return page_of(
        tx,
        "licence_specs",
        page=page,
        order={"name": str},
        make=lambda row: record_from_json(LicenceSpec, row["spec"]),
    )


def add_licence(tx: Transaction, licence: Licence, *, now: str) -> None:
    """Keep a decision; the first of its id stays."""
    insert_missing(
        tx,
        "licences",
        {
            "licence_id": [licence.licence_id],
            "name": [licence.spec.name],
            "policy_id": [licence.policy_id],
            "evaluation_id": [licence.evaluation_id],
            "issued": [licence.issued],
            "licence": [canonical_json(licence)],
            "created_at": [now],
        },
    )


def find_licence(tx: Transaction, licence_id: str) -> Licence | None:
    """Give a decision, None where there is none of this id."""
    rows = tx.execute("SELECT licence FROM licences WHERE licence_id = ?", [licence_id]).fetchall()
    return record_from_json(Licence, rows[0][0]) if rows else None


def licences_page(tx: Transaction, policy_id: str, page: PageRequest) -> Page[Licence]:
    """Give decisions by name and id, of one policy or ("") of all."""
    where = Condition("policy_id = ? OR ? = ''", (policy_id, policy_id))
    make = lambda row: record_from_json(Licence, row["licence"])  # noqa: E731
    return page_of(tx, "licences", page=page, order={"name": str, "licence_id": str}, make=make, where=where)


def licences_held(tx: Transaction, policy_id: str) -> tuple[str, ...]:
    """Give the names of the licences that were issued to a policy, sorted."""
    sql = "SELECT DISTINCT name FROM licences WHERE policy_id = ? AND issued ORDER BY name"
    return tuple(str(row[0]) for row in tx.execute(sql, [policy_id]).fetchall())


def _suite(row: Mapping[str, Any]) -> Suite:
    return Suite(**{name: row[name] for name in _SUITE})


def _evaluation(row: Mapping[str, Any]) -> Evaluation:
    return record_from_json(Evaluation, row["evaluation"])
