"""Addresses of pictures that need no key: signed, for one picture alone, and of no use once their time is over.

That of a page ends by the clock. That of a labelling task stays as it is, and ends with the task.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from al_platform.errors import Unauthenticated
from al_platform.platform.signing import Signer

FOLDER = "/pictures"
PAGE_S = 3600
"""How long the pictures of a page can be fetched at least, in seconds; at most twice as long."""
_PURPOSE = "picture"


@dataclass(frozen=True)
class PictureLinks:
    """Makes and checks addresses of pictures below `base`, "" for the service that is asked itself."""

    signer: Signer
    base: str = ""
    now_s: Callable[[], float] = time.time
    """Seconds since 1970."""

    def blob(self, blob_hash: str, *, longest: int = 0) -> str:
        """Give the address of a stored picture, its longer side at most `longest` pixels; 0 for its own size."""
        return self._link(("blob", blob_hash), {"size": longest})

    def of_task(self, task_id: str, blob_hash: str) -> str:
        """Give the address of a stored picture that a task shows, in its own size. It names no end."""
        place = ("task", task_id, blob_hash)
        return self._address(place, {"mark": self.signer.mark(_PURPOSE, *place)})

    def heatmap(self, round_id: str, frame_id: str, class_name: str) -> str:
        """Give the address of where the ensemble of a round disagrees about a class on a frame that it picked."""
        return self._link(("heatmap", round_id, frame_id), {"class": class_name})

    def scene(self, scenario_id: str, kind: str) -> str:
        """Give the address of a picture of a scenario: `above`, `clip` or `camera`."""
        return self._link(("scenario", scenario_id), {"show": kind})

    def drive(self, evaluation_id: str, scenario_id: str) -> str:
        """Give the address of a scenario as the policy of an evaluation drove it."""
        return self._link(("drive", evaluation_id, scenario_id), {"size": 0})

    def require(self, place: tuple[str, ...], asked: str | int, *, until_s: int, mark: str) -> None:
        """Refuse an address that this home did not write, or whose time is over.

        Raises: Unauthenticated.
        """
        self.signer.require(mark, _PURPOSE, *place, asked, until_s)
        if until_s <= self.now_s():
            raise Unauthenticated("picture: its address has expired; load the page or the task again")

    def require_of_task(self, task_id: str, blob_hash: str, *, mark: str) -> None:
        """Refuse an address of a task's picture that this home did not write. The task may have ended all the same.

        Raises: Unauthenticated.
        """
        self.signer.require(mark, _PURPOSE, "task", task_id, blob_hash)

    def _link(self, place: tuple[str, ...], asked: dict[str, str | int]) -> str:
        """The same address for as long as PAGE_S, so that browsers find in their caches what they have."""
        until_s = (int(self.now_s()) // PAGE_S + 2) * PAGE_S
        mark = self.signer.mark(_PURPOSE, *place, *asked.values(), until_s)
        return self._address(place, {**asked, "until": until_s, "mark": mark})

    def _address(self, place: tuple[str, ...], asked: dict[str, str | int]) -> str:
        return f"{self.base}{FOLDER}/{'/'.join(quote(part, safe='') for part in place)}?{urlencode(asked)}"
