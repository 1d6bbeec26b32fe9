"""Hints from labelling tools: somebody may have answered."""

from fastapi import APIRouter, BackgroundTasks

from al_platform.errors import Unauthenticated
from al_platform.platform.waking import wake_waiting
from al_platform.settings import HOOK_PATH
from api.access import HOOK_SECRET, ServiceHere
from api.errors import TooManyRequests, problem_responses

router = APIRouter(tags=["service"])


@router.post(
    HOOK_PATH,
    operation_id="hint_label_studio",
    status_code=202,
    dependencies=[HOOK_SECRET],
    responses=problem_responses(Unauthenticated, TooManyRequests),
)
async def hint(service: ServiceHere, afterwards: BackgroundTasks) -> None:
    """Take a hint that somebody answered: rounds that wait look for themselves. Answered at once, the body unread."""
    afterwards.add_task(wake_waiting, service)
