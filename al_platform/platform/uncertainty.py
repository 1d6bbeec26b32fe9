"""What the ensembles thought of a frame."""

from al_platform.loop.scores import ItemUncertainty, uncertainty_of
from al_platform.platform.home import Platform
from al_platform.platform.rounds import loop_context


def frame_uncertainty(platform: Platform, frame_id: str) -> list[ItemUncertainty]:
    """Give what every ensemble that scored a pool with this frame thought of it, the oldest first.

    Raises: NotFound for an unknown frame, CorruptScores for a file that is not what was written.
    """
    return uncertainty_of(loop_context(platform), frame_id)
