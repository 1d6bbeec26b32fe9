"""Ensembles and their members."""

from pydantic import Field

from al_platform.domain.models import EnsembleVersion
from api.schemas.base import Out


class MemberOut(Out):
    """A trained member: where it stopped, and its loss (nats per known cell and class) on its validation fold."""

    member: int
    best_step: int
    validation_loss: float
    temperature: float


class EnsembleOut(Out):
    """A trained ensemble and what it came from."""

    ensemble_id: str = Field(examples=["ens_0a1b2c3d4e5f6a7b8c9d0e1f"])
    dataset_version_id: str
    encoder_id: str
    seed: int
    family: str = Field(examples=["prefix-heads"])
    classes: list[str] = Field(examples=[["person", "bicycle"]])
    weights_hash: str
    members: list[MemberOut]

    @classmethod
    def of(cls, ensemble: EnsembleVersion) -> "EnsembleOut":
        """Give an ensemble as it is answered."""
        return cls(
            ensemble_id=ensemble.ensemble_id,
            dataset_version_id=ensemble.dataset_version_id,
            encoder_id=ensemble.encoder_id,
            seed=ensemble.seed,
            family=ensemble.spec.family,
            classes=list(ensemble.spec.classes),
            weights_hash=ensemble.weights_hash,
            members=[MemberOut.model_validate(member) for member in ensemble.members],
        )


class MetricsOut(Out):
    """Metrics by frozen test set, metric and class."""

    ensemble_id: str
    tests: dict[str, dict[str, dict[str, float]]] = Field(examples=[{"dsv_1": {"average_precision": {"person": 0.61}}}])
