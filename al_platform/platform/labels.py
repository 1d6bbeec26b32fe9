"""Labelling by people: the tool that the settings name, and who labelled how."""

import base64
from functools import partial

from al_platform.catalog.answers import answers_of_round
from al_platform.catalog.rounds import round_named
from al_platform.domain.data import BlobRef
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

_DAY_S = 86_400


def label_studio_tool(platform: Platform, context: LoopContext) -> dict[str, LabelingTool]:
    """Give the Label Studio of the settings by its name, or nothing where they name none. Connects when first used."""
    server = platform.settings.label_studio
    if server is None:
        return {}
    tool = LabelStudio(
        LabelStudioClient(server.url, server.token, timeout_s=server.timeout_s),
        describe=task_describer(context),
        hints=task_hinter(context),
        image_url=_picture_addresses(platform, lasting_s=server.picture_days * _DAY_S),
        policy=ReviewPolicy(answers=server.answers),
        hook=Hook(server.hook.url, server.hook.secret) if server.hook else None,
    )
    return {tool.name: tool}


def annotators_of_round(platform: Platform, round_id: str) -> list[AnnotatorStatistics]:
    """Give how each person labelled in a round.

    Raises: NotFound for an unknown round.
    """
    with platform.catalog.transaction() as tx:
        round_named(tx, round_id)
        return annotator_statistics(answers_of_round(tx, round_id))


def _picture_addresses(platform: Platform, *, lasting_s: int) -> ImageUrl:
    """Links to the service where its address is known, which tasks of many pictures need; else the pictures."""
    if not platform.settings.browser_url:
        return partial(_inside_the_task, platform)
    links = PictureLinks(signer_of(platform.settings.home), platform.settings.browser_url)
    return lambda image: links.blob(image.hash, lasting_s=lasting_s)


def _inside_the_task(platform: Platform, image: BlobRef) -> str:
    """The picture itself as an address: needs no server of pictures."""
    return f"data:{image.media_type};base64,{base64.b64encode(platform.blobs.get(image.hash)).decode()}"
