"""More like these frames, and what is to become of them."""

from typing import Annotated

from pydantic import Field

from api.schemas.base import In, Out

FrameId = Annotated[str, Field(min_length=1, max_length=200)]


class SimilarIn(In):
    """Examples of what is looked for, and of what is not."""

    like: Annotated[list[FrameId], Field(min_length=1, max_length=100)]
    unlike: Annotated[list[FrameId], Field(max_length=100)] = Field(default=[])
    filter: Annotated[str, Field(max_length=2000, description="Only among the frames that match")] = ""
    count: Annotated[int, Field(ge=1, le=500)] = 20
    round_id: Annotated[str, Field(max_length=200, description="Whose encoder embeds; empty for the newest")] = ""


class SimilarOut(Out):
    """A frame and how like the examples it is, in [-2, 2]; higher = more."""

    frame_id: str
    score: float


class PickedIn(In):
    """Frames picked by hand for a queue, the first to be seen first."""

    frames: Annotated[list[FrameId], Field(min_length=1, max_length=10_000)]
    round_id: Annotated[str, Field(max_length=200, description="Whose pool, ensemble and labels; empty: newest")] = ""
    annotator: Annotated[str, Field(max_length=200, description="Who labels; empty: as in that round")] = ""
    for_class: Annotated[str, Field(max_length=200, description="Empty: the round's first target")] = ""
