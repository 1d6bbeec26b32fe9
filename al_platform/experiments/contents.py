"""What a dataset version holds: positive cells, objects, sessions, frames without a target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.datasets.presence import object_counts
from al_platform.domain.hashing import hash_record
from al_platform.domain.ids import annotation_id
from al_platform.domain.labels import Annotation
from al_platform.domain.models import ModelSpec
from al_platform.loop.context import LoopContext
from al_platform.loop.models import labelled_frames, presence_maps


@dataclass(frozen=True)
class LabelledContents:
    """Counts over the labelled frames of a version. Cells and objects are per class of the model."""

    frames: int = 0
    sessions: int = 0
    without_target: int = 0
    """Frames that show none of the targets: hard negatives, when a strategy picked them."""
    positive_cells: Mapping[str, int] = field(default_factory=dict)
    objects: Mapping[str, int] = field(default_factory=dict)


def contents_of(
    context: LoopContext, model: ModelSpec, version_id: str, *, targets: Sequence[str], beyond: str = ""
) -> LabelledContents:
    """Count what the labels of a version show; with `beyond`, only of the frames that this other version lacks."""
    items, frames, annotations = labelled_frames(context, version_id)
    if beyond:
        known = {item.item_id for item in labelled_frames(context, beyond)[0]}
        items = [item for item in items if item.item_id not in known]
    if not items:
        return LabelledContents()
    labels = [annotations[item.annotation_id] for item in items]
    present_NKHW = presence_maps(context, model).of(labels) == 1
    columns = [model.classes.index(name) for name in targets]
    shows_target = present_NKHW[:, columns].any(axis=(1, 2, 3))
    cells, objects = present_NKHW.sum(axis=(0, 2, 3)), _objects(context, model, labels).sum(axis=0)
    return LabelledContents(
        frames=len(items),
        sessions=len({frames[item.item_id].session_id for item in items}),
        without_target=int((~shows_target).sum()),
        positive_cells={name: int(cells[index]) for index, name in enumerate(model.classes)},
        objects={name: int(objects[index]) for index, name in enumerate(model.classes)},
    )


def _objects(context: LoopContext, model: ModelSpec, labels: Sequence[Annotation]) -> NDArray[Any]:
    """Objects per label and class, [N, K]; counted once a label, since finding them in a mask takes milliseconds."""
    name = hash_record(list(model.classes))
    cache = context.caches.cache("objects", name, shape=(len(model.classes),), dtype=np.dtype(np.int32))
    keys = [annotation_id(label) for label in labels]
    by_key = dict(zip(keys, labels, strict=True))
    missing = cache.missing(keys)
    if missing:
        counted = np.zeros((len(missing), len(model.classes)), np.int32)
        for row, key in enumerate(missing):
            mask = by_key[key].mask
            found = object_counts(by_key[key], context.blobs.get(mask.hash) if mask else None, classes=model.classes)
            counted[row] = [found.get(name, 0) for name in model.classes]
        cache.add(missing, counted)
    return cache.take(keys)
