"""Labelling queues: what waits for people, re-ordered and withdrawn."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from al_platform.errors import CatalogBusy, Conflict, InvalidInput, LabelingUnavailable, NotFound, StaleVersion
from al_platform.platform import queues
from al_platform.platform.handpicked import handpicked_spec, submit_handpicked
from api.access import OPERATOR, READER, Caller, ServiceHere
from api.conditions import IfMatch, etag, required_version
from api.errors import PreconditionRequired, problem_responses
from api.paging import PageAsked
from api.routes.parameters import Id
from api.schemas.base import PageOut, page_out
from api.schemas.queues import QueueOut, TaskChange, TaskOut
from api.schemas.round_answers import RoundOut
from api.schemas.similar import PickedIn

router = APIRouter(prefix="/v1", tags=["queues"])
_TOOL = problem_responses(LabelingUnavailable, CatalogBusy)
_SEND = problem_responses(InvalidInput, NotFound, Conflict, CatalogBusy)
_CHANGE = problem_responses(
    NotFound, InvalidInput, StaleVersion, PreconditionRequired, Conflict, CatalogBusy, LabelingUnavailable
)


@router.get("/queues", operation_id="list_queues", dependencies=[READER])
def list_queues(service: ServiceHere) -> list[QueueOut]:
    """List queues and how many of their tasks are in each state."""
    return [QueueOut.model_validate(queue) for queue in queues.queues(service.platform)]


@router.post("/queues/{queue}/withdraw", operation_id="withdraw_queue", dependencies=[OPERATOR], responses=_TOOL)
def withdraw_queue(service: ServiceHere, caller: Caller, queue: Id) -> list[TaskOut]:
    """Withdraw every task of a queue that nobody has answered, here and at the labelling tool; gives those tasks."""
    return [TaskOut.model_validate(task) for task in queues.withdraw_queue(service, queue, actor=caller)]


@router.post(
    "/queues/{queue}/frames", operation_id="send_frames", status_code=202, dependencies=[OPERATOR], responses=_SEND
)
def send_frames(service: ServiceHere, caller: Caller, queue: Id, body: PickedIn, response: Response) -> RoundOut:
    """Send frames picked by hand straight to a queue, as a round of their own; again it is the same round."""
    spec = handpicked_spec(
        service.platform,
        body.frames,
        queue=queue,
        annotator=body.annotator,
        for_class=body.for_class,
        like=body.round_id,
    )
    status = submit_handpicked(service, spec, actor=caller)
    response.headers["Location"] = f"/v1/rounds/{status.round.round_id}"
    return RoundOut.of(status)


@router.get("/tasks", operation_id="list_tasks", dependencies=[READER], responses=problem_responses(InvalidInput))
def list_tasks(
    service: ServiceHere, page: PageAsked, queue: Annotated[str, Query(max_length=200)] = ""
) -> PageOut[TaskOut]:
    """List the tasks of one queue, or of all, in the order people see them."""
    return page_out(queues.tasks(service.platform, page, queue=queue), TaskOut)


@router.get("/tasks/{task_id}", operation_id="get_task", dependencies=[READER], responses=problem_responses(NotFound))
def get_task(service: ServiceHere, task_id: Id, response: Response) -> TaskOut:
    """Give a task; its ETag is what a change of it must match."""
    task = queues.task(service.platform, task_id)
    response.headers["ETag"] = etag(queues.task_version(task))
    return TaskOut.model_validate(task)


@router.patch("/tasks/{task_id}", operation_id="change_task", dependencies=[OPERATOR], responses=_CHANGE)
def change_task(
    service: ServiceHere,
    caller: Caller,
    task_id: Id,
    body: TaskChange,
    response: Response,
    if_match: IfMatch = None,
) -> TaskOut:
    """Move a task that still waits to another place, or withdraw it, at the labelling tool too."""
    task = queues.change_task(
        service,
        task_id,
        actor=caller,
        version=required_version(if_match),
        rank=body.rank,
        withdraw=body.state == "withdrawn",
    )
    response.headers["ETag"] = etag(queues.task_version(task))
    return TaskOut.model_validate(task)
