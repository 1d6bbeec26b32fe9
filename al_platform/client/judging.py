"""Questions about policies: trained, judged, compared, licensed."""

from collections.abc import Iterator, Mapping
from typing import Any

from al_platform.client.connection import Connection, part
from al_platform.client.judging_records import (
    AskedComparisonRecord,
    AskedEvaluationRecord,
    AskedFixRecord,
    AskedLicenceRecord,
    AskedPolicyRecord,
    ListedComparisonRecord,
    PolicyRecord,
    StandingRecord,
)
from al_platform.domain.judging import Evaluation, Suite
from al_platform.domain.licences import Licence, LicenceSpec
from al_platform.domain.policies import PolicyVersion


class JudgingClient(Connection):
    """The part of the client that knows policies. What is asked for is answered at once: ask again how far it is."""

    def policies(self, *, page: int = 200) -> Iterator[PolicyVersion]:
        """Give policies, newest first."""
        return self._pages(PolicyVersion, "/v1/policies", {}, page=page)

    def policy(self, policy_id: str) -> PolicyRecord:
        """Give a policy with its learning curve."""
        return self._one(PolicyRecord, "GET", f"/v1/policies/{part(policy_id)}")

    def train_policy(self, wanted: Mapping[str, Any], *, idempotency_key: str) -> AskedPolicyRecord:
        """Have a policy trained; the same key and request bring back the same policy, as does the same training."""
        headers = {"Idempotency-Key": idempotency_key}
        return self._one(AskedPolicyRecord, "POST", "/v1/policies", body=wanted, headers=headers)

    def training(self, policy_id: str) -> AskedPolicyRecord:
        """Give how far the training of a policy is."""
        return self._one(AskedPolicyRecord, "GET", f"/v1/policies/{part(policy_id)}/training")

    def stop_training(self, policy_id: str) -> AskedPolicyRecord:
        """Stop a training; asked for again it goes on from its checkpoint."""
        return self._one(AskedPolicyRecord, "POST", f"/v1/policies/{part(policy_id)}/training/stop")

    def suites(self, *, page: int = 200) -> Iterator[Suite]:
        """Give suites by name."""
        return self._pages(Suite, "/v1/suites", {}, page=page)

    def suite(self, which: str) -> Suite:
        """Give a suite by its name or id."""
        return self._one(Suite, "GET", f"/v1/suites/{part(which)}")

    def freeze_suite(self, name: str, filter_text: str = "", *, idempotency_key: str) -> Suite:
        """Freeze the scenarios that a filter matches now; the same key and request bring back the same suite."""
        body, headers = {"name": name, "filter": filter_text}, {"Idempotency-Key": idempotency_key}
        return self._one(Suite, "POST", "/v1/suites", body=body, headers=headers)

    def leaderboard(self, suite: str, *, reactive: bool = False, page: int = 200) -> Iterator[StandingRecord]:
        """Give the policies that drove a suite, the best first."""
        asked = {"reactive": str(reactive).lower()}
        return self._pages(StandingRecord, f"/v1/suites/{part(suite)}/leaderboard", asked, page=page)

    def evaluations(self, policy_id: str = "", *, page: int = 200) -> Iterator[Evaluation]:
        """Give finished evaluations by suite, of one policy or ("") all."""
        return self._pages(Evaluation, "/v1/evaluations", {"policy_id": policy_id}, page=page)

    def ask_for_evaluation(self, policy_id: str, suite: str, *, reactive: bool = False) -> AskedEvaluationRecord:
        """Have a policy, or the expert, drive a suite; again it is the same evaluation."""
        body = {"policy_id": policy_id, "suite": suite, "reactive": reactive}
        return self._one(AskedEvaluationRecord, "POST", "/v1/evaluations", body=body)

    def evaluation(self, evaluation_id: str) -> AskedEvaluationRecord:
        """Give an evaluation, or how far it is."""
        return self._one(AskedEvaluationRecord, "GET", f"/v1/evaluations/{part(evaluation_id)}")

    def ask_for_comparison(
        self, before: str, after: str, suite: str, *, reactive: bool = False, clips: int = 6
    ) -> AskedComparisonRecord:
        """Have two policies compared, and what changed most drawn; again it is the same comparison."""
        body = {"before": before, "after": after, "suite": suite, "reactive": reactive, "clips": clips}
        return self._one(AskedComparisonRecord, "POST", "/v1/comparisons", body=body)

    def comparisons(self, *, page: int = 200) -> Iterator[ListedComparisonRecord]:
        """Give the comparisons that were asked for, newest first."""
        return self._pages(ListedComparisonRecord, "/v1/comparisons", {}, page=page)

    def ask_for_fix(
        self,
        scenario_id: str,
        before: str,
        after: str,
        *,
        variations: int = 16,
        seed: int = 0,
        reactive: bool = False,
    ) -> AskedFixRecord:
        """Have variations of a scenario driven by two policies, to see whether a fix holds; again it is the same."""
        body = {"scenario_id": scenario_id, "before": before, "after": after}
        how = {"variations": variations, "seed": seed, "reactive": reactive}
        return self._one(AskedFixRecord, "POST", "/v1/fixes", body={**body, **how})

    def fix(self, asked_id: str) -> AskedFixRecord:
        """Give whether a fix holds, or how far that is."""
        return self._one(AskedFixRecord, "GET", f"/v1/fixes/{part(asked_id)}")

    def comparison(self, asked_id: str) -> AskedComparisonRecord:
        """Give a comparison that was asked for, or how far it is."""
        return self._one(AskedComparisonRecord, "GET", f"/v1/comparisons/{part(asked_id)}")

    def comparison_clip(self, asked_id: str, scenario_id: str) -> bytes:
        """Give a scenario as the two policies drove it, side by side: a GIF."""
        return self._ask("GET", f"/v1/comparisons/{part(asked_id)}/clips/{part(scenario_id)}").content

    def licence_specs(self, *, page: int = 200) -> Iterator[LicenceSpec]:
        """Give what licences ask for, by name."""
        return self._pages(LicenceSpec, "/v1/licence-specs", {}, page=page)

    def licences(self, policy_id: str = "", *, page: int = 200) -> Iterator[Licence]:
        """Give decisions with their reasons, by name, of one policy or ("") all."""
        return self._pages(Licence, "/v1/licences", {"policy_id": policy_id}, page=page)

    def ask_for_licence(
        self, policy_id: str, name: str, *, terms: Mapping[str, Any] | None = None
    ) -> AskedLicenceRecord:
        """Have a licence decided, by its name or by terms that become it; decisions stand for good."""
        body = {"policy_id": policy_id, "name": name, "terms": terms}
        return self._one(AskedLicenceRecord, "POST", "/v1/licences", body=body)

    def licence(self, licence_id: str) -> AskedLicenceRecord:
        """Give a decision, or how far it is."""
        return self._one(AskedLicenceRecord, "GET", f"/v1/licences/{part(licence_id)}")
