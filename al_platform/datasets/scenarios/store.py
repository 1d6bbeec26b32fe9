"""The store of prepared scenarios: shards of a folder, opened as arrays of which only what is read takes memory.

A scenario's id is the hash of its arrays: it is verified when it is first read, so that damage is never driven in,
and takes nothing from the scenarios beside it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from al_platform.domain.hashing import canonical_json, hash_bytes
from al_platform.errors import CorruptBlob, InvalidInput, NotFound, StorageUnavailable
from al_platform.storage.arrays import (
    MAKE_AGAIN,
    Array,
    Arrays,
    DamagedShard,
    OpenedShards,
    Shard,
    open_shard,
    open_shards,
    record_of,
)
from al_platform.storage.remote_arrays import open_remote_shards
from sim.preparing import FORMULA
from sim.scenario import Scenario, Sizes

CACHE = Path(".alp") / "cache" / "blobs"
"""Where blocks of a remote store are kept unless another folder is named: that of the home in this folder."""
CACHE_BYTES = 20 * 10**9


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

    def __init__(self, shards: Sequence[Shard], sizes: Sizes, *, damaged: Sequence[DamagedShard] = ()) -> None:
        self.sizes = sizes
        self.damaged = tuple(damaged)
        """Shards of the store that cannot be read; what lies in the others can."""
        self._shards = shards
        self._verified: set[int] = set()
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

    def __contains__(self, scenario_id: object) -> bool:
        """Whether the store holds the scenario of this id."""
        return scenario_id in self._rows

    def __getitem__(self, row: int) -> Scenario:
        """Give one scenario without a batch axis: views of the mapped files, nothing is copied.

        Raises: CorruptBlob where it was changed.
        """
        self._verify([row])
        number, place = self._places[row]
        return scenario_of(record_of(self._shards[number], place))

    def rows_of(self, scenario_ids: Sequence[str]) -> list[int]:
        """Give the rows of these scenarios.

        Raises: NotFound for an id that the store lacks; CorruptBlob for one in a shard that cannot be read.
        """
        missing = [scenario_id for scenario_id in scenario_ids if scenario_id not in self._rows]
        if missing:
            raise why_lost(missing[0], self.damaged, more=len(missing) - 1)
        return [self._rows[scenario_id] for scenario_id in scenario_ids]

    def faults_of(self, scenario_ids: Sequence[str]) -> dict[str, str]:
        """Read these scenarios and give what is wrong with those that were changed, by id.

        Raises: as `rows_of`.
        """
        faults: dict[str, str] = {}
        for scenario_id, row in zip(scenario_ids, self.rows_of(scenario_ids), strict=True):
            try:
                self._verify([row])
            except CorruptBlob as changed:
                faults[scenario_id] = str(changed)
        return faults

    def batch(self, rows: Sequence[int]) -> Scenario:
        """Give these scenarios stacked: views where they are neighbours in one shard, else copies.

        Raises: CorruptBlob, with its id and shard, where one was changed.
        """
        self._verify(rows)
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

    def _verify(self, rows: Sequence[int]) -> None:
        for row in rows:
            if row in self._verified:
                continue
            number, place = self._places[row]
            _verify(self._shards[number], place)
            self._verified.add(row)


def stored_scenario(folder: Path, shard: str, row: int) -> Scenario:
    """Give one scenario by where it lies, without a batch axis; no other shard is opened.

    Raises: NotFound where the store has no such shard; CorruptBlob where it or the scenario was changed.
    """
    found = open_shard(folder, shard)
    _sizes_of(found.layout, str(folder))
    _verify(found, row)
    return scenario_of(record_of(found, row))


def open_scenarios(
    uri: str, *, sizes: Sizes | None = None, cache: Path = CACHE, cache_bytes: int = CACHE_BYTES
) -> Scenarios:
    """Open a store of scenarios: a folder of this machine, or a copy of one behind any URL that fsspec opens.

    With `sizes` only scenarios of these; without, all must be of the same. What is read of a remote store is kept in
    the folder `cache`, which it may share with blobs. A damaged shard takes nothing from the others: see `damaged`.

    Raises: NotFound where there is none; InvalidInput for scenarios of several sizes; CorruptBlob where nothing but
        damaged shards is there; StorageUnavailable where another version wrote it, or it cannot be reached.
    """
    opened = _opened(uri, cache=cache, cache_bytes=cache_bytes)
    shards = opened.whole
    layouts = sorted({shard.layout for shard in shards})
    wanted = layout_of(sizes) if sizes is not None else layouts[0] if layouts else ""
    if sizes is None and len(layouts) > 1:
        raise InvalidInput(f"{uri}: scenarios of several sizes: {', '.join(layouts)}; name the sizes to open")
    chosen = [shard for shard in shards if shard.layout == wanted]
    if not shards and opened.damaged:
        raise CorruptBlob(opened.damaged[0].reason)
    if not chosen:
        raise NotFound(f"{uri}: no scenarios{f' of {wanted}' if sizes else ''}; make some with `alp scenarios ingest`")
    return Scenarios(chosen, _sizes_of(wanted, uri), damaged=opened.damaged)


def open_layouts(folder: Path) -> tuple[list[Scenarios], tuple[DamagedShard, ...]]:
    """Open a folder once for each layout of its scenarios that this platform reads, and give what is damaged in it."""
    opened = open_shards(folder)
    layouts: dict[str, list[Shard]] = {}
    for shard in sorted(opened.whole, key=lambda shard: shard.layout):
        if json.loads(shard.layout).get("formula") == FORMULA:
            layouts.setdefault(shard.layout, []).append(shard)
    stores = [Scenarios(shards, _sizes_of(layout, str(folder))) for layout, shards in layouts.items()]
    return stores, opened.damaged


def _verify(shard: Shard, row: int) -> None:
    if scenario_id_of(record_of(shard, row)) != shard.ids[row]:
        raise CorruptBlob(f"shard {shard.path}: scenario {shard.ids[row]} was changed; {MAKE_AGAIN}")


def why_lost(scenario_id: str, damaged: Sequence[DamagedShard], *, more: int = 0) -> CorruptBlob | NotFound:
    """Give why none of the whole shards holds a scenario, naming it and the cure; so many more are lost beside it.

    CorruptBlob where it lay in one of the damaged shards, or may have; else NotFound.
    """
    others = f", as are {more} more" if more else ""
    for shard in damaged:
        if scenario_id in shard.ids:
            return CorruptBlob(f"scenario {scenario_id}{others}: {shard.reason}")
    for shard in damaged:
        if not shard.ids:
            return CorruptBlob(
                f"scenario {scenario_id}: not in the store{others}, or in what is damaged: {shard.reason}"
            )
    return NotFound(
        f"scenario {scenario_id}: not in the store{others}, or prepared for another version of the platform; ingest or "
        "generate it again"
    )


def _opened(uri: str, *, cache: Path, cache_bytes: int) -> OpenedShards:
    parts = urlsplit(uri)
    if parts.scheme in ("", "file"):
        return open_shards(Path(parts.path if parts.scheme else uri))
    return open_remote_shards(uri, cache, limit_bytes=cache_bytes)


def _sizes_of(layout: str, uri: str) -> Sizes:
    content: Mapping[str, Any] = json.loads(layout)
    names = {field.name for field in fields(Sizes)}
    if content.get("formula") != FORMULA or set(content.get("sizes", ())) != names:
        raise StorageUnavailable(f"{uri}: written as {layout}, this platform reads {FORMULA}; ingest again")
    return Sizes(**content["sizes"])
