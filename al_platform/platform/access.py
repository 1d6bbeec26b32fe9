"""Keys of the service: made, checked, changed; every change is logged in its own transaction."""

import datetime
import hashlib
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import replace

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from al_platform.catalog import access
from al_platform.catalog.connection import Catalog
from al_platform.domain.access import Actor, ApiKey, AuditEntry, Scope
from al_platform.domain.clock import utc_now
from al_platform.domain.paging import Page, PageRequest
from al_platform.errors import Conflict, InvalidInput, NotFound, StaleVersion, Unauthenticated

KEY_PREFIX = "alp_"
FIRST_START = Actor("first start", Scope.ADMIN)

_FORM = re.compile(r"alp_([0-9a-f]{12})_([0-9A-Za-z_-]{43})")
_LONGEST_NAME = 100
_REFUSED = "key: not valid; ask an admin for one, or see when yours expires"


class KeyRing:
    """The keys of one service. It alone changes them, so what it verified once it knows until it changes it."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        writing: threading.RLock,
        now: Callable[[], str] = utc_now,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._catalog = catalog
        self._writing = writing
        self._now = now
        self._hasher = hasher or PasswordHasher()
        self._verified: dict[bytes, ApiKey] = {}
        self._used_at: dict[str, str] = {}

    def make(self, name: str, scope: Scope, *, actor: Actor, expires_at: str | None = None) -> tuple[ApiKey, str]:
        """Make a key; gives it and its text, which nobody can have again.

        Raises: InvalidInput for a name that is empty or too long, or an expiry that is past.
        """
        now = self._now()
        key = ApiKey(
            key_id=secrets.token_hex(6),
            name=_checked_name(name),
            scope=scope,
            created_at=now,
            created_by=actor.name,
            expires_at=_checked_expiry(expires_at, now),
        )
        secret = secrets.token_urlsafe(32)
        hashed = self._hasher.hash(secret)
        with self._writing, self._catalog.transaction() as tx:
            access.add_key(tx, key, secret_hash=hashed)
            access.record_change(
                tx, actor, "key.made", key.key_id, now=now, detail={"name": name, "scope": scope.value}
            )
        return key, f"{KEY_PREFIX}{key.key_id}_{secret}"

    def make_first(self) -> str | None:
        """Make an admin key where there never was a key, and give its text; None where there was one."""
        with self._writing:
            with self._catalog.transaction() as tx:
                known = access.count_keys(tx)
            return None if known else self.make("first admin", Scope.ADMIN, actor=FIRST_START)[1]

    def authenticate(self, text: str) -> ApiKey:
        """Give the key that this text is.

        Raises: Unauthenticated for a text that is no key, or one that was revoked or has expired.
        """
        mark = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        key = self._verified.get(mark)
        if key is None:
            key = self._verify(text)
            self._verified[mark] = key
        return self._in_use(key)

    def active(self, key_id: str) -> ApiKey:
        """Give a key by its id, to go on with what was begun with it.

        Raises: Unauthenticated where it was revoked, has expired, or is not there.
        """
        try:
            return self._in_use(self.named(key_id))
        except NotFound:
            raise Unauthenticated(_REFUSED) from None

    def change(
        self, key_id: str, *, actor: Actor, version: str, name: str | None = None, revoke: bool = False
    ) -> ApiKey:
        """Give a key another name, or revoke it for good.

        Raises: NotFound, StaleVersion where the key's revision is no longer `version`, Conflict for a revoked key.
        """
        now = self._now()
        with self._writing:
            with self._catalog.transaction() as tx:
                key = access.key_named(tx, key_id)
                if str(key.revision) != version:
                    raise StaleVersion(f"key {key_id}: is at revision {key.revision}, not {version}; read it again")
                if key.revoked_at is not None:
                    raise Conflict(f"key {key_id}: was revoked at {key.revoked_at}; make another")
                changed = replace(
                    key,
                    name=key.name if name is None else _checked_name(name),
                    revoked_at=now if revoke else None,
                    revision=key.revision + 1,
                )
                access.save_key(tx, changed)
                action = "key.revoked" if revoke else "key.renamed"
                access.record_change(tx, actor, action, key_id, now=now, detail={"name": changed.name})
            self._verified = {mark: key for mark, key in self._verified.items() if key.key_id != key_id}
        return changed

    def named(self, key_id: str) -> ApiKey:
        """Give a key, its last use to the minute or better.

        Raises: NotFound for an unknown id.
        """
        with self._catalog.transaction() as tx:
            return self._with_last_use(access.key_named(tx, key_id))

    def page(self, page: PageRequest) -> Page[ApiKey]:
        """Give keys, oldest first."""
        with self._catalog.transaction() as tx:
            found = access.keys_page(tx, page)
        return Page(tuple(self._with_last_use(key) for key in found.items), found.after)

    def changes(self, page: PageRequest) -> Page[AuditEntry]:
        """Give the log of changes, newest first."""
        with self._catalog.transaction() as tx:
            return access.changes_page(tx, page)

    def save_last_uses(self) -> None:
        """Write when keys were last used; called now and then, not at every request."""
        with self._writing:
            used_at, self._used_at = self._used_at, {}
            with self._catalog.transaction() as tx:
                access.save_last_use(tx, used_at)

    def _in_use(self, key: ApiKey) -> ApiKey:
        now = self._now()
        if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now):
            raise Unauthenticated(_REFUSED)
        self._used_at[key.key_id] = now
        return key

    def _with_last_use(self, key: ApiKey) -> ApiKey:
        return replace(key, last_used_at=self._used_at.get(key.key_id, key.last_used_at))

    def _verify(self, text: str) -> ApiKey:
        form = _FORM.fullmatch(text)
        if form is None:
            raise Unauthenticated(_REFUSED)
        key_id, secret = form.groups()
        with self._catalog.transaction() as tx:
            hashed = access.secret_hash_of(tx, key_id)
            key = None if hashed is None else access.key_named(tx, key_id)
        if hashed is None or key is None:
            raise Unauthenticated(_REFUSED)
        try:
            self._hasher.verify(hashed, secret)
        except VerifyMismatchError:
            raise Unauthenticated(_REFUSED) from None
        return key


def _checked_name(name: str) -> str:
    if not 1 <= len(name.strip()) <= _LONGEST_NAME:
        raise InvalidInput(f"key name {name!r}: must have 1 to {_LONGEST_NAME} characters")
    return name.strip()


def _checked_expiry(expires_at: str | None, now: str) -> str | None:
    if expires_at is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(expires_at)
    except ValueError:
        raise InvalidInput(f"expiry {expires_at!r}: write a time such as 2027-01-31T12:00:00Z") from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    text = moment.isoformat(sep=" ", timespec="microseconds")
    if text <= now:
        raise InvalidInput(f"expiry {expires_at}: is past; it is now {now} UTC")
    return text
