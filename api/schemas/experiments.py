"""A/B experiments."""

from typing import Any

from pydantic import Field

from al_platform.domain.hashing import to_plain
from al_platform.experiments.records import ExperimentSpec
from api.schemas.base import Out


class ExperimentOut(Out):
    """An experiment, how many points its curves have so far, and when it began (UTC)."""

    experiment_id: str = Field(examples=["exp_0a1b2c3d4e5f6a7b8c9d0e1f"])
    points: int
    created_at: str


class ExperimentSpecOut(Out):
    """What an experiment compares."""

    experiment_id: str
    spec: dict[str, Any]

    @classmethod
    def of(cls, experiment_id: str, spec: ExperimentSpec) -> "ExperimentSpecOut":
        """Give the specification as plain data."""
        return cls(experiment_id=experiment_id, spec=to_plain(spec))


class SummaryOut(Out):
    """Every number of an experiment's report."""

    experiment_id: str
    summary: dict[str, Any]
