"""Labelling queues and their tasks."""

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.base import LARGEST, In, Out


class TaskOut(Out):
    """A frame in a labelling queue; rank 0 is seen first, a score is higher where there is more to learn."""

    task_id: str = Field(examples=["tsk_0a1b2c3d4e5f6a7b8c9d0e1f"])
    round_id: str
    item_id: str
    for_class: str
    rank: int
    score: float
    state: str = Field(examples=["sent"])


class TaskChange(In):
    """Another place in the queue, or `withdrawn`."""

    rank: Annotated[int, Field(ge=0, le=LARGEST)] | None = None
    state: Literal["withdrawn"] | None = None


class QueueOut(Out):
    """A queue and how many of its tasks are in each state."""

    queue: str = Field(examples=["main"])
    tasks: dict[str, int] = Field(examples=[{"sent": 12, "labeled": 28}])
