"""Driver licences as they are asked for and answered."""

from typing import Annotated

from pydantic import ConfigDict, Field

from al_platform.domain.judging import JudgeSpec
from al_platform.domain.licences import LicenceSpec
from api.schemas.base import In, Name, Out
from api.schemas.judging import AskedOut, JudgeSpecOut, SuiteName

_POLICY = "pol_0a1b2c3d4e5f6a7b8c9d0e1f"


class TermsIn(In):
    """What a licence asks for; every bound is that of a 95 % interval."""

    suite: SuiteName
    at_most: Annotated[
        dict[str, float], Field(max_length=20, description="{rate: the most that its upper bound may be}")
    ] = Field(default={})
    least_progress: Annotated[float, Field(gt=0, le=1e9)] | None = None
    worst_stratum: Annotated[float, Field(gt=0, le=1)] | None = None
    stratum_scenarios: Annotated[int, Field(ge=1, le=2**31 - 1)] = 20
    reactive: bool = False

    def meant(self, name: str, suite_id: str) -> LicenceSpec:
        """Give the licence that is asked for. Raises: InvalidInput."""
        return LicenceSpec(
            name=name,
            suite_id=suite_id,
            at_most=self.at_most,
            least_progress=self.least_progress,
            worst_stratum=self.worst_stratum,
            stratum_scenarios=self.stratum_scenarios,
            judged=JudgeSpec(self.reactive),
        )


class LicenceIn(In):
    """A policy that is to be licensed: by a known licence, or by terms that become it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"policy_id": _POLICY, "name": "town", "terms": {"suite": "town", "at_most": {"failure": 0.05}}}
            ]
        }
    )

    policy_id: Name
    name: Name
    terms: Annotated[TermsIn | None, Field(description="None where the licence was decided on before")] = None


class LicenceSpecOut(Out):
    """What a licence asks for; it never changes."""

    name: str = Field(examples=["town"])
    suite_id: str
    at_most: dict[str, float] = Field(examples=[{"failure": 0.05}])
    least_progress: float | None
    worst_stratum: float | None
    stratum_scenarios: int
    judged: JudgeSpecOut


class LicenceCheckOut(Out):
    """One thing that was asked for; `reason` says in words whether it passed."""

    what: str
    mean: float | None
    bound: float | None
    limit: float
    passed: bool
    reason: str = Field(examples=["failure: 2.00 % of 300 scenarios, surely at most 4.29 %; asked is 5.00 %"])


class LicenceOut(Out):
    """A decision, which never changes."""

    licence_id: str = Field(examples=["lic_0a1b2c3d4e5f6a7b8c9d0e1f"])
    policy_id: str
    evaluation_id: str
    spec: LicenceSpecOut
    issued: bool
    checks: list[LicenceCheckOut]


class AskedLicenceOut(AskedOut):
    """A decision and how far it is; null until it is made."""

    licence_id: str = Field(examples=["lic_0a1b2c3d4e5f6a7b8c9d0e1f"])
    licence: LicenceOut | None
