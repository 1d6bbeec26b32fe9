"""Ids: a prefix that says what it is, and the hash of what it is."""

from al_platform.domain.hashing import hash_record
from al_platform.domain.labels import Label
from al_platform.errors import InvalidInput

_HASH_PART = 24


def make_id(prefix: str, *content: object) -> str:
    """Give the id of a record with this content, for example `rnd_` and 24 hexadecimal characters."""
    return f"{prefix}_{hash_record(list(content))[:_HASH_PART]}"


def frame_id_of(image_hash: str) -> str:
    """Give the id of the frame whose image bytes hash to this."""
    return f"frm_{image_hash[:_HASH_PART]}"


def session_id_of(dataset: str, name: str) -> str:
    """Give the id of the session that a dataset calls by this name, `dataset/name`.

    Raises: InvalidInput for a dataset with a `/` in its name: another one could have the same session then.
    """
    if not dataset or "/" in dataset:
        raise InvalidInput(f"dataset {dataset!r}: must be a name without '/'; give another with --option dataset=NAME")
    return f"{dataset}/{name}"


def annotation_id(annotation: Label) -> str:
    """Give the id of a label: the same label of the same item has the same id."""
    return make_id("ann", annotation)
