"""Labelling by people: the tool that the settings name, and who labelled how."""

import base64
from datetime import datetime, timedelta
from functools import partial

from al_platform.catalog.annotations import annotations_by_id
from al_platform.catalog.answers import answers_of_round
from al_platform.catalog.connection import Transaction
from al_platform.catalog.datasets import version_items
from al_platform.catalog.queues import task_named
from al_platform.catalog.rounds import round_named, steps_of
from al_platform.catalog.tasks import tasks_of
from al_platform.domain.clock import utc_now
from al_platform.domain.data import BlobRef
from al_platform.domain.labels import Box, TaskState
from al_platform.domain.rounds import RoundState
from al_platform.errors import InvalidInput, Unauthenticated
from al_platform.labeling.annotators import AnnotatorStatistics, annotator_statistics
from al_platform.labeling.base import ImageUrl, LabelingTool
from al_platform.labeling.consensus import ReviewPolicy
from al_platform.labeling.label_studio import LabelStudio
from al_platform.labeling.label_studio_client import LabelStudioClient
from al_platform.labeling.label_studio_projects import Hook
from al_platform.loop.briefs import task_describer, task_hinter
from al_platform.loop.context import LoopContext
from al_platform.platform.home import Platform
from al_platform.platform.picture_links import PictureLinks
from al_platform.platform.signing import signer_of
from al_platform.settings import LabelStudioSettings


def label_studio_tool(platform: Platform, context: LoopContext) -> dict[str, LabelingTool]:
    """Give the Label Studio of the settings by its name, or nothing where they name none. Connects when first used."""
    server = platform.settings.label_studio
    if server is None:
        return {}
    tool = LabelStudio(
        LabelStudioClient(server.url, server.token, timeout_s=server.timeout_s),
        describe=task_describer(context),
        hints=task_hinter(context),
        image_url=_picture_addresses(platform),
        policy=ReviewPolicy(answers=server.answers),
        hook=Hook(server.hook.url, server.hook.secret) if server.hook else None,
    )
    return {tool.name: tool}


def annotators_of_round(platform: Platform, round_id: str, *, gold: str = "") -> list[AnnotatorStatistics]:
    """Give how each person labelled in a round.

    `gold` is a dataset version whose boxes are the truth: its frames, asked again in this round, are gold items.

    Raises: NotFound for an unknown round or version; InvalidInput where the round asked for no frame of the version.
    """
    with platform.catalog.transaction() as tx:
        round_named(tx, round_id)
        truth = _gold_boxes(tx, platform, round_id, gold) if gold else {}
        return annotator_statistics(answers_of_round(tx, round_id), gold=truth)


def _gold_boxes(tx: Transaction, platform: Platform, round_id: str, version_id: str) -> dict[str, tuple[Box, ...]]:
    """Boxes of a version by the tasks of a round that asked for the same frames."""
    known = {item.item_id: item.annotation_id for item in version_items(tx, platform.blobs, version_id)}
    asked = [task for task in tasks_of(tx, round_id) if task.item_id in known]
    labels = annotations_by_id(tx, [known[task.item_id] for task in asked])
    truth = {task.task_id: labels[known[task.item_id]] for task in asked if known[task.item_id] in labels}
    boxes = {task_id: label.boxes for task_id, label in truth.items() if label.mask is None}
    if not boxes:
        raise InvalidInput(
            f"gold {version_id}: round {round_id} asked for no frame with boxes of this version; name one whose frames "
            "are in the round's pool"
        )
    return boxes


def require_shown(platform: Platform, task_id: str) -> None:
    """Refuse the pictures of a task that nobody has to look at any more.

    They are shown while the task's round waits for labels, however long, and for the days of the settings after its
    labels were appended, since people may correct them.

    Raises: NotFound for an unknown task; Unauthenticated for one that was withdrawn, whose round was cancelled, or
        whose days are over.
    """
    with platform.catalog.transaction() as tx:
        task = task_named(tx, task_id)
        round_ = round_named(tx, task.round_id)
        appended = next((step for step in steps_of(tx, task.round_id) if step.step == "append"), None)
    if task.state is TaskState.WITHDRAWN or round_.state is RoundState.CANCELLED:
        raise Unauthenticated(f"picture: task {task_id} was taken back; label another")
    days = (platform.settings.label_studio or LabelStudioSettings).picture_days
    if appended is not None and datetime.fromisoformat(utc_now()) >= appended.ended_at + timedelta(days=days):
        raise Unauthenticated(
            f"picture: the labels of task {task_id} were appended more than {days} days ago; "
            "ALP_LABEL_STUDIO_PICTURE_DAYS says for how long their pictures are shown"
        )


def _picture_addresses(platform: Platform) -> ImageUrl:
    """Links to the service where its address is known, which tasks of many pictures need; else the pictures."""
    if not platform.settings.browser_url:
        return partial(_inside_the_task, platform)
    links = PictureLinks(signer_of(platform.settings.home), platform.settings.browser_url)
    return lambda task_id, image: links.of_task(task_id, image.hash)


def _inside_the_task(platform: Platform, task_id: str, image: BlobRef) -> str:
    """The picture itself as an address: needs no server of pictures."""
    return f"data:{image.media_type};base64,{base64.b64encode(platform.blobs.get(image.hash)).decode()}"
