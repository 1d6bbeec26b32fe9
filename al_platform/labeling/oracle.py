"""A perfect labeller's glance: which classes a frame shows. For baselines and experiment designs, never for scoring."""

from collections.abc import Sequence

import numpy as np

from al_platform.datasets.presence import presence_of
from al_platform.domain.models import GridSpec
from al_platform.storage.sealed import SealedAnswers


class Oracle:
    """Looks through frames as a human curator would who never errs. Nothing it sees becomes a label."""

    def __init__(self, sealed: SealedAnswers) -> None:
        self._sealed = sealed

    def knows(self, frame_ids: Sequence[str]) -> np.ndarray:
        """Say for which frames a label exists, bool [N]."""
        answers = self._sealed.open(frame_ids)
        return np.array([frame_id in answers for frame_id in frame_ids], bool)

    def shows(self, frame_ids: Sequence[str], classes: Sequence[str], grid: GridSpec) -> np.ndarray:
        """Say which classes are present in at least one cell of each frame, bool [N, K]."""
        answers = self._sealed.open(frame_ids)
        shown = np.zeros((len(frame_ids), len(classes)), bool)
        for row, frame_id in enumerate(frame_ids):
            if (answer := answers.get(frame_id)) is not None:
                mask = self._sealed.blobs.get(answer.mask.hash) if answer.mask else None
                presence = presence_of(answer, mask, classes=classes, grid=grid)
                shown[row] = (presence == 1).any(axis=(1, 2))
        return shown
