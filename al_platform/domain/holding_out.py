"""What drivers do not learn from, so that their learning curve is of scenes that they have not seen: whole sessions."""

from collections.abc import Mapping

from al_platform.domain.hashing import hash_bytes

_DIGITS = 12
"""Of a session's hash, hexadecimal, that place it in [0, 1)."""


def held_out_among(sessions: Mapping[str, str], share: float) -> set[str]:
    """Give the scenarios {scenario: session} that are held out: those of about `share` of the sessions, in [0, 1).

    A session is held out by its name alone. So it stays on its side whatever joins later: drivers that go on from those
    of the round before never learned what they are measured on, and curves of different seeds are of the same scenes.
    Empty where the share meets no session, or every one: too few to hold any out.
    """
    apart = {name for name, session in sessions.items() if _place(session) < share}
    return apart if len(apart) < len(sessions) else set()


def _place(session: str) -> float:
    """Where a session stands in [0, 1)."""
    return int(hash_bytes(session.encode())[:_DIGITS], 16) / 16.0**_DIGITS
