"""Idempotency keys: a request that comes again brings back what it brought before."""

from al_platform.catalog import runs as run_catalog
from al_platform.catalog.connection import Transaction
from al_platform.domain.access import Actor
from al_platform.errors import IdempotencyMismatch, InvalidInput

_LONGEST_KEY = 200


def known_target(tx: Transaction, actor: Actor, key: str, *, request_hash: str) -> str | None:
    """Give what came of a request of this actor under this key, None where it never came.

    Raises: InvalidInput for a key that is empty or too long, IdempotencyMismatch where it came with another request.
    """
    if not 1 <= len(key) <= _LONGEST_KEY:
        raise InvalidInput(f"idempotency key of {len(key)} characters: must have 1 to {_LONGEST_KEY}")
    known = run_catalog.known_request(tx, actor=actor.name, key=key)
    if known is not None and known[0] != request_hash:
        raise IdempotencyMismatch(f"idempotency key {key!r}: came before with another request; use a new key")
    return known[1] if known else None
