"""Frames that come in while a home is served: from its inbox, and from nowhere else.

One process owns the catalog, so a service takes in what others put into a folder. Whoever asks names a place in it;
what lies there, and what a file list there names, was put there by somebody with the rights of the home's owner.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from al_platform.catalog.access import record_change
from al_platform.catalog.loops import open_loops
from al_platform.domain.access import Actor
from al_platform.domain.clock import utc_now
from al_platform.domain.ingest import IngestReport
from al_platform.errors import InvalidInput
from al_platform.platform.data import ingest_dataset
from al_platform.platform.service import Service
from al_platform.settings import Settings

MOST_ITEMS = 100_000
"""Of one import: larger ones are told apart by folder, or come in by `alp ingest` while nobody serves the home."""
_PLACE = re.compile(r"[A-Za-z0-9_ .@=+-]{1,200}(/[A-Za-z0-9_ .@=+-]{1,200}){0,12}")
_PLACES = ("images", "manifest")
"""Options that name files: the one below the inbox, the other below the source."""


def inbox_of(settings: Settings) -> Path:
    """Give the folder that imports read from; whoever owns the home makes it, and may link other folders into it."""
    return settings.home / "inbox"


def import_dataset(
    service: Service, adapter: str, path: str, options: Mapping[str, str], *, actor: Actor, most: int = MOST_ITEMS
) -> IngestReport:
    """Bring a dataset in from the inbox and let every loop look whether its pool has grown. Again it adds nothing.

    Raises: InvalidInput for a place that is not in the inbox, a source of more than `most` items, and as
        `ingest_dataset`; CatalogBusy where another change was under way, StorageUnavailable: what came in stays.
    """
    platform, inbox = service.platform, inbox_of(service.platform.settings)
    named = {name: _checked(value) for name, value in options.items() if name in _PLACES}
    if "images" in named:
        named["images"] = str(inbox / named["images"])
    source = inbox / _checked(path)
    if not source.exists():
        raise InvalidInput(f"path {path}: nothing is there in {inbox}; put or link the source into that folder")
    report = ingest_dataset(platform, adapter, str(source), {**options, **named}, most=most)
    with service.writing, platform.catalog.transaction() as tx:
        detail = {"adapter": adapter, "added": report.added}
        record_change(tx, actor, "frames.imported", path, now=utc_now(), detail=detail)
        loops = open_loops(tx)
    for loop_id in loops:
        service.runner.follow(loop_id)
    return report


def _checked(place: str) -> str:
    if not _PLACE.fullmatch(place) or ".." in place.split("/"):
        raise InvalidInput(f"path {place!r}: must name a place below the inbox, for example week_47/boxes.json")
    return place
