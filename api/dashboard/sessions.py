"""Who looks at the pages: a signed cookie that names the key somebody came in with, never the key itself."""

import base64
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request, Response

from al_platform.domain.access import Actor
from al_platform.errors import Unauthenticated
from al_platform.platform.access import KEY_PREFIX, KeyRing
from al_platform.platform.signing import Signer
from api.access import DEV, Gate

COOKIE = "alp_session"
LASTING_S = 12 * 3600

_PURPOSE, _FORM = "session", "form"


@dataclass(frozen=True)
class Session:
    """Who asks, and the mark that every form of this session carries."""

    actor: Actor
    form_mark: str


class Sessions:
    """Opens sessions and knows them again. A key that is revoked or expires ends its sessions at once."""

    def __init__(
        self, keys: KeyRing, signer: Signer, gate: Gate, *, dev: bool, now_s: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys
        self._signer = signer
        self._gate = gate
        self._dev = dev
        self._now_s = now_s

    def begin(self, key_text: str, *, address: str) -> str:
        """Give the cookie of a new session.

        Raises: Unauthenticated for a text that is no key in use; TooManyRequests, for an address that guesses too.
        """
        if not self._dev and not key_text.startswith(KEY_PREFIX):
            key_text = ""
        actor = self._gate.admit(key_text, address=address)
        said = json.dumps(
            {
                "key": actor.name.removeprefix("key "),
                "until": int(self._now_s()) + LASTING_S,
                "nonce": secrets.token_hex(8),
            }
        )
        body = base64.urlsafe_b64encode(said.encode()).decode()
        return f"{body}.{self._signer.mark(_PURPOSE, body)}"

    def of(self, cookie: str) -> Session:
        """Give the session of a cookie.

        Raises: Unauthenticated for one that this service did not write, that is too old, or whose key has ended;
            TooManyRequests.
        """
        if self._dev:
            return self._session(DEV, "dev")
        body, _, mark = cookie.partition(".")
        self._signer.require(mark, _PURPOSE, body)
        said = json.loads(base64.urlsafe_b64decode(body))
        if said["until"] <= self._now_s():
            raise Unauthenticated("session: has ended; log in again")
        key = self._keys.active(said["key"])
        session = self._session(Actor(f"key {key.key_id}", key.scope), said["nonce"])
        self._gate.count(session.actor)
        return session

    def require_form(self, session: Session, mark: str) -> None:
        """Refuse a form that no page of this session gave.

        Raises: Unauthenticated.
        """
        nonce, _, _ = session.form_mark.partition(".")
        given, _, signed = mark.partition(".")
        self._signer.require(signed if given == nonce else "", _FORM, session.actor.name, nonce)

    def _session(self, actor: Actor, nonce: str) -> Session:
        return Session(actor, f"{nonce}.{self._signer.mark(_FORM, actor.name, nonce)}")


def set_cookie(response: Response, request: Request, cookie: str, *, path: str) -> None:
    """Hand a session to the browser: no script reads it, no other site sends it."""
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=LASTING_S,
        path=path,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
