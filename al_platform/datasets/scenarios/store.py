"""The store of prepared scenarios: shards of a folder, opened as arrays of which only what is read takes memory."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from al_platform.domain.hashing import canonical_json, hash_bytes
from al_platform.errors import InvalidInput, NotFound, StorageUnavailable
from al_platform.storage.arrays import Array, Arrays, Shard, open_shard, open_shards
from sim.preparing import FORMULA
from sim.scenario import Scenario, Sizes


def layout_of(sizes: Sizes) -> str:
    """Give the name of scenarios of these sizes: those of one layout can be stacked."""
    return canonical_json({"formula": FORMULA, "sizes": asdict(sizes)})


def arrays_of(scenario: Scenario) -> dict[str, Array]:
    """Give the arrays of a scenario by name, such as `log.states`."""
    return {
        f"{part.name}.{leaf.name}": np.asarray(getattr(getattr(scenario, part.name), leaf.name))
        for part in fields(Scenario)
        for leaf in fields(getattr(scenario, part.name))
    }


def scenario_of(arrays: Arrays) -> Scenario:
    """Give the scenario of these arrays: the inverse of `arrays_of`, whatever axes lie before."""
    parts: dict[str, Any] = {}
    for part in fields(Scenario):
        kind: Any = part.type
        parts[part.name] = kind(**{leaf.name: arrays[f"{part.name}.{leaf.name}"] for leaf in fields(kind)})
    return Scenario(**parts)


def scenario_id_of(arrays: Arrays) -> str:
    """Give the id of a scenario by its content: the same scene, prepared alike, is the same scenario."""
    return f"scn_{hash_bytes(b''.join(array.tobytes() for array in arrays.values()))[:24]}"


class Scenarios:
    """Prepared scenarios of one layout, by row. Everything is numpy, ready for `jax.device_put`."""

    def __init__(self, shards: Sequence[Shard], sizes: Sizes) -> None:
        self.sizes = sizes
        self._shards = shards
        self._places: list[tuple[int, int]] = []
        self._rows: dict[str, int] = {}
        for number, shard in enumerate(shards):
            for row, scenario_id in enumerate(shard.ids):
                if scenario_id not in self._rows:
                    self._rows[scenario_id] = len(self._places)
                    self._places.append((number, row))
        self.ids = tuple(self._rows)
        self._about = [shards[number].about[row] for number, row in self._places]
        self.tags: tuple[tuple[str, ...], ...] = tuple(tuple(about["tags"]) for about in self._about)
        self.names: tuple[str, ...] = tuple(about["name"] for about in self._about)
        """`dataset/session/scene` as the source calls them."""

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, row: int) -> Scenario:
        """Give one scenario without a batch axis: views of the mapped files, nothing is copied."""
        number, place = self._places[row]
        return scenario_of({name: block[place, ...] for name, block in self._shards[number].arrays.items()})

    def rows_of(self, scenario_ids: Sequence[str]) -> list[int]:
        """Give the rows of these scenarios.

        Raises: NotFound for an id that the store lacks.
        """
        missing = [scenario_id for scenario_id in scenario_ids if scenario_id not in self._rows]
        if missing:
            raise NotFound(f"scenario {missing[0]}: not in this store; ingest it again")
        return [self._rows[scenario_id] for scenario_id in scenario_ids]

    def batch(self, rows: Sequence[int]) -> Scenario:
        """Give these scenarios stacked: views where they are neighbours in one shard, else copies."""
        places = [self._places[row] for row in rows]
        number, first = places[0]
        if places == [(number, first + step) for step in range(len(places))]:
            arrays = self._shards[number].arrays
            return scenario_of({name: block[first : first + len(places)] for name, block in arrays.items()})
        names = self._shards[number].arrays
        return scenario_of(
            {name: np.stack([self._shards[shard].arrays[name][row] for shard, row in places]) for name in names}
        )

    def batches(self, size: int) -> Iterator[Scenario]:
        """Yield all scenarios in the order of their rows, `size` at a time; the last batch may be smaller.

        Raises: InvalidInput for a size below 1.
        """
        if size < 1:
            raise InvalidInput(f"batch of {size}: must be at least 1")
        for start in range(0, len(self), size):
            yield self.batch(range(start, min(start + size, len(self))))


def stored_scenario(folder: Path, shard: str, row: int) -> Scenario:
    """Give one scenario by where it lies, without a batch axis; no other shard is opened.

    Raises: NotFound where the store has no such shard; CorruptBlob, StorageUnavailable as `open_scenarios`.
    """
    found = open_shard(folder, shard)
    _sizes_of(found.layout, str(folder))
    return scenario_of({name: block[row, ...] for name, block in found.arrays.items()})


def open_scenarios(uri: str, *, sizes: Sizes | None = None) -> Scenarios:
    """Open a store of scenarios: a folder of this machine, as path or file:// URL.

    With `sizes` only scenarios of these; without, all must be of the same.

    Raises: NotFound where there is none; InvalidInput for another kind of URL, or scenarios of several sizes;
        CorruptBlob for a shard that is torn or changed; StorageUnavailable where another version wrote it.
    """
    shards = open_shards(local_folder(uri))
    layouts = sorted({shard.layout for shard in shards})
    wanted = layout_of(sizes) if sizes is not None else layouts[0] if layouts else ""
    if sizes is None and len(layouts) > 1:
        raise InvalidInput(f"{uri}: scenarios of several sizes: {', '.join(layouts)}; name the sizes to open")
    chosen = [shard for shard in shards if shard.layout == wanted]
    if not chosen:
        raise NotFound(f"{uri}: no scenarios{f' of {wanted}' if sizes else ''}; make some with `alp scenarios ingest`")
    return Scenarios(chosen, _sizes_of(wanted, uri))


def open_layouts(uri: str) -> list[Scenarios]:
    """Open a store once for each layout of its scenarios that this platform reads; none for an empty folder.

    Raises: InvalidInput and CorruptBlob as `open_scenarios`.
    """
    shards = open_shards(local_folder(uri))
    readable = sorted({shard.layout for shard in shards if json.loads(shard.layout).get("formula") == FORMULA})
    return [
        Scenarios([shard for shard in shards if shard.layout == layout], _sizes_of(layout, uri)) for layout in readable
    ]


def local_folder(uri: str) -> Path:
    """Give the folder behind a path or file:// URL.

    Raises: InvalidInput for another kind of URL.
    """
    parts = urlsplit(uri)
    if parts.scheme not in ("", "file"):
        raise InvalidInput(f"{uri}: scenarios load by memory map; copy them to a local disk and name that folder")
    return Path(parts.path if parts.scheme else uri)


def _sizes_of(layout: str, uri: str) -> Sizes:
    content: Mapping[str, Any] = json.loads(layout)
    names = {field.name for field in fields(Sizes)}
    if content.get("formula") != FORMULA or set(content.get("sizes", ())) != names:
        raise StorageUnavailable(f"{uri}: written as {layout}, this platform reads {FORMULA}; ingest again")
    return Sizes(**content["sizes"])
