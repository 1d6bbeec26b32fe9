"""What determined a selection, so that it can be made again and compared."""

from collections.abc import Mapping
from dataclasses import dataclass

from al_platform.domain.rounds import RoundSpec


@dataclass(frozen=True)
class SelectionRecord:
    """Everything that a round's picks followed from, by content, and the digest of the picks.

    A hash of an input names its bytes in storage: who has them all can make the picks anew.
    """

    round_id: str
    spec: RoundSpec
    """Pool, dataset version, strategy with its limits, filter, targets, budget and seed."""
    pool_manifest_hash: str
    dataset_manifest_hash: str
    ensemble_id: str
    """Or the policy of a round of scenarios."""
    weights_hash: str
    score_id: str | None
    """None where the strategy reads no score."""
    score_hash: str | None
    """Digest of the hashes of the files of scores."""
    formula: str | None
    exclusions_hash: str
    """Parquet blob of the items that were queued or unreadable at that moment."""
    allowed_hash: str
    """Digest of the rows of the pool that could be picked."""
    environment: Mapping[str, str]
    """Versions of the code and of what it computes with."""
    picks_hash: str
    """Digest of item, class, rank and score of every pick, in order."""
    guard_hash: str | None = None
    """JSON blob of the noise guard: what it had learned, from which verdicts; None where there was none."""
