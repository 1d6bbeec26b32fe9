"""Ids: a prefix that says what it is, and the hash of what it is."""

from al_platform.domain.hashing import hash_record
from al_platform.domain.labels import Annotation

_HASH_PART = 24


def make_id(prefix: str, *content: object) -> str:
    """Give the id of a record with this content, for example `rnd_` and 24 hexadecimal characters."""
    return f"{prefix}_{hash_record(list(content))[:_HASH_PART]}"


def frame_id_of(image_hash: str) -> str:
    """Give the id of the frame whose image bytes hash to this."""
    return f"frm_{image_hash[:_HASH_PART]}"


def annotation_id(annotation: Annotation) -> str:
    """Give the id of a label: the same label of the same frame has the same id."""
    return make_id("ann", annotation)
