"""What only this home can have written: marks made with a key that never leaves it."""

import base64
import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

from al_platform.errors import StorageUnavailable, Unauthenticated

_KEY_BYTES = 32


class Signer:
    """Marks texts and knows its marks again. A mark for one purpose is none for another."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def mark(self, purpose: str, *parts: str | int) -> str:
        """Give the mark of these parts, 43 characters that may stand in an address."""
        said = json.dumps([purpose, *map(str, parts)]).encode()
        digest = hmac.digest(self._key, said, hashlib.sha256)
        return base64.urlsafe_b64encode(digest).decode().rstrip("=")

    def require(self, given: str, purpose: str, *parts: str | int) -> None:
        """Refuse a mark that is not of these parts.

        Raises: Unauthenticated.
        """
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self.mark(purpose, *parts).encode()):
            raise Unauthenticated(f"{purpose}: not written by this service, or changed since")


def signer_of(home: Path) -> Signer:
    """Give the signer of a home; its key is made when it is first asked for.

    Raises: StorageUnavailable where the key cannot be read or written, or is not one.
    """
    path = home / "signing.key"
    try:
        if not path.exists():
            _make_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise StorageUnavailable(f"{path}: {error.strerror or error}") from error
    if len(key) != _KEY_BYTES:
        raise StorageUnavailable(f"{path}: has {len(key)} bytes, a key has {_KEY_BYTES}; delete it to have another")
    return Signer(key)


def _make_key(path: Path) -> None:
    """Only its owner may read it, and it is there whole or not at all."""
    unfinished = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(secrets.token_bytes(_KEY_BYTES))
    unfinished.replace(path)
