"""A perfect labeller's glance: which classes a frame shows. For baselines and designs, never for scoring."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from al_platform.datasets.presence import presence_of
from al_platform.domain.labels import Annotation
from al_platform.domain.models import GridSpec
from al_platform.storage.sealed import SealedAnswers


class Oracle:
    """Looks through frames as a human curator would who never errs. Nothing it sees becomes a label."""

    def __init__(self, sealed: SealedAnswers) -> None:
        self._sealed = sealed
        self._seen: dict[tuple[str, tuple[str, ...], GridSpec], NDArray[Any]] = {}

    def knows(self, frame_ids: Sequence[str]) -> NDArray[Any]:
        """Say for which frames a label exists, bool [N]."""
        answers = self._sealed.open(frame_ids)
        return np.array([frame_id in answers for frame_id in frame_ids], bool)

    def shows(self, frame_ids: Sequence[str], classes: Sequence[str], grid: GridSpec) -> NDArray[Any]:
        """Say which classes are present in at least one cell of each frame, bool [N, K]."""
        look = (tuple(classes), grid)
        unseen = [frame_id for frame_id in frame_ids if (frame_id, *look) not in self._seen]
        answers = self._sealed.open(unseen)
        for frame_id in unseen:
            self._seen[frame_id, *look] = self._classes_shown(answers.get(frame_id), *look)
        return np.array([self._seen[frame_id, *look] for frame_id in frame_ids], bool).reshape(-1, len(classes))

    def _classes_shown(self, answer: Annotation | None, classes: Sequence[str], grid: GridSpec) -> NDArray[Any]:
        if answer is None:
            return np.zeros(len(classes), bool)
        mask = self._sealed.blobs.get(answer.mask.hash) if answer.mask else None
        presence = presence_of(answer, mask, classes=classes, grid=grid)
        return np.asarray((presence == 1).any(axis=(1, 2)))
