"""A wish for a driving policy: how it is trained, on which scenarios, and what it goes on from."""

from dataclasses import dataclass

from al_platform.domain.policies import PolicySpec
from al_platform.domain.rounds import CurriculumShare
from al_platform.errors import InvalidInput


@dataclass(frozen=True)
class PolicyRequest:
    """All that determines a policy, by name: equal requests are one job and one policy."""

    spec: PolicySpec
    dataset_version_id: str
    """Scenarios to learn from."""
    held_out_version_id: str | None = None
    """Scenarios that the learning curve is measured on; None for a share of the others."""
    held_out_share: float = 0.0
    """Of the sessions of the scenarios to learn from, in [0, 1), where no held-out version is named: they teach nothing
    then, and the learning curve is measured on them; 0 for a curve of the loss alone."""
    parent_id: str | None = None
    """The policy to go on from; None for fresh weights."""
    seed: int = 0
    curriculum: tuple[CurriculumShare, ...] = ()
    """How much of what is learned from is drawn from which scenarios, such as newly accepted or hard ones; empty:
    every scenario alike."""

    def __post_init__(self) -> None:
        """Refuse seeds that no generator takes, and held-out scenarios of two origins."""
        if not 0 <= self.seed < 2**32:
            raise InvalidInput(f"seed {self.seed}: must be at least 0 and below 2^32")
        if self.held_out_version_id is not None and self.held_out_share:
            raise InvalidInput(
                f"held out {self.held_out_share:g} of the sessions: given beside {self.held_out_version_id}; give one"
            )
