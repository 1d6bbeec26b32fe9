"""From sources to scenarios in the store: what each process does, away from the catalog."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from al_platform.datasets.scenarios.base import RefusedScene, SourceScene
from al_platform.datasets.scenarios.formats import format_named
from al_platform.datasets.scenarios.generated import GENERATED, generated_scenes
from al_platform.datasets.scenarios.store import arrays_of, layout_of, scenario_id_of
from al_platform.domain.ids import session_id_of
from al_platform.domain.scenarios import RefusedPart, ScenarioReference, ScenarioSource
from al_platform.storage.arrays import ArrayRecord, write_shard
from sim.kinds import AgentKind, StopKind
from sim.preparing import Report, prepare
from sim.scenario import Scenario, Sizes

LARGEST_SHARD = 64
"""Scenarios; about 100 MB at the default sizes."""


@dataclass(frozen=True)
class Work:
    """Sources for one process: of which format, prepared at which sizes, into which folder."""

    format: str
    sources: tuple[tuple[str, str], ...]
    """Id of each, and where it is."""
    sizes: Sizes
    folder: Path


@dataclass(frozen=True)
class Taken:
    """Sources that were read to their end, and the scenarios in the store that came of them."""

    sources: list[ScenarioSource]
    scenarios: list[ScenarioReference]


def take_in(work: Work) -> Taken:
    """Read and prepare sources and write their scenarios as shards; gives what the catalog is to know.

    Done again, it writes nothing new. Raises: StorageUnavailable where a file cannot be read or a shard written.
    """
    scenes = _scenes(work)
    references: list[ScenarioReference] = []
    refused: dict[str, list[RefusedPart]] = {source_id: [] for source_id, _ in work.sources}
    while batch := list(islice(scenes, LARGEST_SHARD)):
        kept = [item for item in batch if not isinstance(item, _Refused)]
        for item in batch:
            if isinstance(item, _Refused):
                refused[item.source_id].append(item.part)
        unique = {record.record_id: (reference, record) for reference, record in kept}
        if unique:
            records = [record for _, record in unique.values()]
            places = write_shard(work.folder, records, layout=layout_of(work.sizes))
            references.extend(
                replace(reference, shard=place.shard, shard_row=place.row)
                for (reference, _), place in zip(unique.values(), places, strict=True)
            )
    found = {
        source_id: [each.scenario_id for each in references if each.source_id == source_id] for source_id in refused
    }
    sources = [
        ScenarioSource(source_id, work.format, origin, tuple(found[source_id]), tuple(refused[source_id]))
        for source_id, origin in work.sources
    ]
    return Taken(sources, references)


@dataclass(frozen=True)
class _Refused:
    source_id: str
    part: RefusedPart


def _scenes(work: Work) -> Iterator[tuple[ScenarioReference, ArrayRecord] | _Refused]:
    for source_id, origin in work.sources:
        for scene in _read(work.format, origin):
            if isinstance(scene, RefusedScene):
                yield _Refused(source_id, RefusedPart(scene.origin, scene.reason, scene.detail))
                continue
            try:
                yield prepared_scene(scene, source_id, work.sizes)
            except ValueError as error:  # how the simulator says that a recording cannot be driven
                reason = str(error).removeprefix(f"{scene.recording.name}: ")
                yield _Refused(source_id, RefusedPart(scene.origin, "cannot be prepared", reason))


def _read(format_name: str, origin: str) -> Iterator[SourceScene | RefusedScene]:
    if format_name == GENERATED:
        return generated_scenes(origin)
    return format_named(format_name).read(Path(origin))


def prepared_scene(scene: SourceScene, source_id: str, sizes: Sizes) -> tuple[ScenarioReference, ArrayRecord]:
    """Give what the catalog and the store are to keep of a scene; where it lies is not known yet.

    Raises: ValueError where it cannot be driven.
    """
    prepared = prepare(scene.recording, sizes)
    arrays = arrays_of(prepared.scenario)
    session_id = session_id_of(scene.dataset, scene.session)
    reference = ScenarioReference(
        scenario_id=scenario_id_of(arrays),
        dataset=scene.dataset,
        session_id=session_id,
        name=scene.name,
        origin=scene.origin,
        source_id=source_id,
        shard="",
        shard_row=-1,
        tags=scene.recording.tags,
        report={**scene.repairs, **_noticed(prepared.report)},
        **_facts(prepared.scenario),  # type: ignore[arg-type]  # whole where the field is
    )
    about = {"name": f"{session_id}/{scene.name}", "tags": list(scene.recording.tags)}
    return reference, ArrayRecord(reference.scenario_id, about, arrays)


def _facts(scenario: Scenario) -> Mapping[str, int | float]:
    """What people filter by."""
    log, route = scenario.log, scenario.route
    there = np.asarray(log.sizes)[:, 0] > 0.0
    kinds = Counter(np.asarray(log.kinds)[there].tolist())
    stops = Counter(np.asarray(route.stop_kinds).tolist())
    steps = int(log.steps)
    driven = np.asarray(log.ego)[:steps, :2].astype(np.float64)
    return {
        "steps": steps,
        "agents": int(there.sum()),
        "vehicles": kinds[AgentKind.VEHICLE],
        "pedestrians": kinds[AgentKind.PEDESTRIAN],
        "cyclists": kinds[AgentKind.CYCLIST],
        "lights": stops[StopKind.LIGHT],
        "stop_signs": stops[StopKind.STOP_SIGN],
        "route_m": round(float(route.length), 3),
        "driven_m": round(float(np.linalg.norm(np.diff(driven, axis=0), axis=1).sum()), 3),
    }


def _noticed(report: Report) -> dict[str, float]:
    """What preparing dropped, mended or noticed, in words."""
    return {name.replace("_", " "): float(value) for name, value in asdict(report).items() if value}
