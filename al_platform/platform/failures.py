"""The scenarios that a policy failed in an evaluation, and each as its worst driver drove it."""

import threading
from dataclasses import dataclass

from al_platform.catalog.judging import suite_named
from al_platform.errors import NotFound
from al_platform.platform.home import Platform
from al_platform.platform.judging import evaluation
from al_platform.platform.pictures import Picture
from al_platform.platform.scenarios import scenario
from al_platform.platform.scene_pictures import stored
from al_platform.policies.changes import by_scenario, worst_of
from al_platform.policies.clips import Side, clip_of
from al_platform.policies.results import read_drives
from al_platform.policies.wheel import Drive
from al_platform.storage.files import NamedFiles
from al_platform.storage.suites import read_scenarios

STYLE = "drive-1"
"""Names how drives are drawn; raised whenever they are drawn differently."""
_ONE_AT_A_TIME = threading.Lock()
"""Drawing holds the interpreter: whoever asks for something else waits for one clip at most."""


@dataclass(frozen=True)
class FailedScene:
    """A scenario in which a policy failed."""

    scenario_id: str
    name: str
    share: float
    """Of the policy's drivers who failed, in (0, 1]."""
    reason: str
    """What happened to the worst of them, earliest first."""


def failed_scenes(platform: Platform, evaluation_id: str) -> list[FailedScene]:
    """Give the scenarios that a policy failed in an evaluation: where most drivers did first, then by id.

    Raises: NotFound for an unknown evaluation, CorruptBlob where its drives were changed.
    """
    found = [
        FailedScene(
            scenario_id=scenario_id,
            name=drives[0].driven.scenario.name,
            share=sum(drive.driven.failed for drive in drives) / len(drives),
            reason=worst_of(drives).driven.reason,
        )
        for scenario_id, drives in by_scenario(_drives(platform, evaluation_id)).items()
        if worst_of(drives).driven.failed
    ]
    return sorted(found, key=lambda scene: (-scene.share, scene.scenario_id))


def drive_picture(platform: Platform, evaluation_id: str, scenario_id: str) -> Picture:
    """Give a GIF of a scenario as the worst of a policy's drivers drove it, with what happened marked.

    Raises: NotFound for an unknown evaluation, a scenario outside of its suite or that the store lacks; CorruptBlob
        for what was changed.
    """
    kept = NamedFiles(str(platform.settings.cache_folder / "drives"))
    name = f"{STYLE}/{evaluation_id}/{scenario_id}.gif"
    if kept.size(name) is None:
        with _ONE_AT_A_TIME:
            if kept.size(name) is None:
                kept.write(name, _drawn(platform, evaluation_id, scenario_id))
    return Picture(kept.read(name), "image/gif", drive_version(evaluation_id, scenario_id))


def drive_version(evaluation_id: str, scenario_id: str) -> str:
    """Name the bytes of a picture of a drive."""
    return f"{evaluation_id}-{scenario_id}-{STYLE}"


def _drawn(platform: Platform, evaluation_id: str, scenario_id: str) -> bytes:
    drives = by_scenario(_drives(platform, evaluation_id)).get(scenario_id)
    if drives is None:
        raise NotFound(f"scenario {scenario_id}: evaluation {evaluation_id} did not drive it")
    scene = stored(platform, scenario(platform, scenario_id))
    found = evaluation(platform, evaluation_id)
    return clip_of(scene, [Side(found.policy_id, worst_of(drives), reactive=found.spec.reactive)], recorded=True)


def _drives(platform: Platform, evaluation_id: str) -> list[Drive]:
    found = evaluation(platform, evaluation_id)
    with platform.catalog.transaction() as tx:
        scenarios_hash = suite_named(tx, found.suite_id).scenarios_hash
    return read_drives(platform.blobs, found.results_hash, read_scenarios(platform.blobs, scenarios_hash))
