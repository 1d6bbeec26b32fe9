"""The noise guard: what people rejected as bad recordings tells which scenarios are not worth their time.

A scenario whose chance of being a bad recording reaches the round's limit is picked for no target. Control picks pass
the guard by, so its mistakes come to light. A duplicate says nothing of its recording, so it teaches nothing here.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from acquisition.guard import RejectionModel, fit_rejections, held_out_chances, log_loss
from al_platform.catalog.annotations import newest_triages
from al_platform.catalog.connection import Transaction
from al_platform.catalog.scenarios import scenarios_named
from al_platform.domain.hashing import canonical_json
from al_platform.domain.records import record_from_json
from al_platform.domain.triage import Verdict
from al_platform.errors import CorruptBlob, InvalidInput
from al_platform.loop.context import LoopContext
from al_platform.loop.signs import signs_of_scenarios
from al_platform.storage.blobs import BlobStore
from sim.signs import SIGNS

LEAST_VERDICTS, LEAST_OF_EACH = 20, 5
"""Fewer, in all or of either kind, say too little of twelve signs."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class HeldOut:
    """How the guard fares on verdicts of sessions that it has not seen."""

    verdicts: int
    rejected: int
    suspected: int
    """Verdicts whose chance reaches the limit."""
    right: int
    """Those of them that people rejected."""
    log_loss: float
    """Mean surprise at the verdicts, nats; lower = better."""
    base_log_loss: float
    """The same of a guard that knows only how many are rejected."""

    @property
    def precision(self) -> float | None:
        """Share of the suspected that people rejected, in [0, 1]; None where it suspects nothing."""
        return self.right / self.suspected if self.suspected else None


@dataclass(frozen=True)
class NoiseGuard:
    """The guard of one selection: everything that decides whom it keeps away, and what it learned that from."""

    limit: float
    """Chance of being a bad recording, in (0, 1), from which a scenario is kept away."""
    verdicts: Mapping[str, bool]
    """Scenario to whether people rejected its recording."""
    held_out: HeldOut | None = None
    model: RejectionModel | None = None
    """None where it keeps nothing away."""
    idle: str = ""
    """Why it keeps nothing away."""
    signs: tuple[str, ...] = SIGNS

    @property
    def words(self) -> str:
        """What it does and how well, for people."""
        if self.held_out is None:
            return f"idle: {self.idle}"
        its = self.held_out
        tried = (
            f"of {its.verdicts} verdicts it had not seen, {its.rejected} of bad recordings, it suspected "
            f"{its.suspected}, {its.right} rightly"
        )
        return f"idle: {self.idle}; {tried}" if self.idle else f"limit {self.limit:g}; {tried}"


def guard_now(context: LoopContext, *, limit: float) -> NoiseGuard:
    """Give the guard that all verdicts so far lead to; equal verdicts give an equal guard.

    It is idle, and says why, with too few verdicts, or where it tells verdicts that it has not seen no better than
    their share does. Raises: NotFound for a verdict on a scenario that the catalog lacks.
    """
    with context.catalog.transaction() as tx:
        verdicts = _verdicts(tx)
        sessions = {name: scene.session_id for name, scene in scenarios_named(tx, list(verdicts)).items()}
    signs_NS = signs_of_scenarios(context, list(verdicts))
    read = np.asarray(np.isfinite(signs_NS).all(axis=1))
    names = [name for name, there in zip(verdicts, read, strict=True) if there]
    guard = NoiseGuard(limit, {name: verdicts[name] for name in names})
    bad = sum(guard.verdicts.values())
    if len(names) < LEAST_VERDICTS or not LEAST_OF_EACH <= bad <= len(names) - LEAST_OF_EACH:
        needs = f"needs {LEAST_VERDICTS}, {LEAST_OF_EACH} of either kind"
        return replace(guard, idle=f"{len(names)} verdicts, {bad} of bad recordings; {needs}")
    groups = np.unique([sessions[name] for name in names], return_inverse=True)[1]
    return _fitted(guard, signs_NS[read], np.array(list(guard.verdicts.values())), groups)


def suspected(context: LoopContext, guard: NoiseGuard, scenario_ids: Sequence[str]) -> NDArray[np.bool_]:
    """Mark the scenarios that a guard keeps away, bool [N]; one that cannot be read is left to whoever reads it.

    Raises: InvalidInput for a guard of another version, which learned from other signs.
    """
    if guard.signs != SIGNS:
        raise InvalidInput(f"guard of signs {', '.join(guard.signs)}: this version tells {', '.join(SIGNS)}; run anew")
    found = np.zeros(len(scenario_ids), np.bool_)
    if guard.model is None:
        return found
    signs_NS = signs_of_scenarios(context, scenario_ids)
    read = np.isfinite(signs_NS).all(axis=1)
    found[read] = guard.model.chances(signs_NS[read]) >= guard.limit
    return found


def write_guard(blobs: BlobStore, guard: NoiseGuard) -> str:
    """Store a guard as one blob and give its hash: one hash for one content."""
    return blobs.put(canonical_json(guard).encode(), media_type="application/json").hash


def read_guard(blobs: BlobStore, blob_hash: str) -> NoiseGuard:
    """Give a guard back. Raises: NotFound, CorruptBlob."""
    try:
        return record_from_json(NoiseGuard, blobs.get(blob_hash).decode())
    except (ValidationError, UnicodeDecodeError) as error:
        raise CorruptBlob(f"blob {blob_hash}: holds no noise guard; select the round again") from error


def _verdicts(tx: Transaction) -> dict[str, bool]:
    """Scenario to whether its recording was rejected, by id; where as many people say so as do not, it is left out."""
    said: Counter[str] = Counter()
    for triage in newest_triages(tx):
        said[triage.scenario_id] += {Verdict.REJECT: 1, Verdict.ACCEPT: -1, Verdict.DUPLICATE: 0}[triage.verdict]
    return {name: count > 0 for name, count in sorted(said.items()) if count}


def _fitted(guard: NoiseGuard, signs_NS: Numbers, bad: NDArray[np.bool_], groups: NDArray[np.int64]) -> NoiseGuard:
    chances, share = held_out_chances(signs_NS, bad, groups), bad.mean()
    flagged = chances >= guard.limit
    held_out = HeldOut(
        verdicts=len(bad),
        rejected=int(bad.sum()),
        suspected=int(flagged.sum()),
        right=int((flagged & bad).sum()),
        log_loss=log_loss(chances, bad),
        base_log_loss=log_loss(np.full(len(bad), share), bad),
    )
    if held_out.log_loss >= held_out.base_log_loss:
        return replace(guard, held_out=held_out, idle="it tells verdicts no better than their share does")
    return replace(guard, held_out=held_out, model=fit_rejections(signs_NS, bad))
