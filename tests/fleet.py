"""A small home to try things in: a virtual fleet of 80 frames and 16 drives, every record cached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from al_platform.catalog.frames import frames_by_id, frames_matching
from al_platform.domain.models import GridSpec, ModelSpec
from al_platform.domain.progress import silent
from al_platform.domain.rounds import Budget, RoundSpec, StrategySpec
from al_platform.loop.models import ensure_encoder, image_hashes
from al_platform.loop.strategies import LIMITS
from al_platform.models.families import family_named, model_spec
from al_platform.platform.data import freeze_pool, ingest_dataset
from al_platform.platform.home import Platform, open_platform
from al_platform.platform.rounds import loop_context, prepare_round
from al_platform.settings import Settings
from al_platform.training.place import frame_records

OPTIONS = {"frames": "80", "sessions": "16", "seed": "22"}
"""A drive in four is a test drive; pool and test drives show all three classes."""

POOL, TEST = "split=pool", "split=test"
TARGETS = ("person", "bicycle")
CLASSES = (*TARGETS, "car")
IMAGE, MEMBERS, STEPS, START = "192x128/16", 2, 50, 12
SETTINGS = (f"steps={STEPS}", "projection=16", "hidden=8")
COMMAND = (
    *("--pool", POOL, "--targets", ",".join(TARGETS), "--classes", ",".join(CLASSES)),
    *("--members", str(MEMBERS), "--image", IMAGE, "--start", str(START)),
    *(part for setting in SETTINGS for part in ("--set", setting)),
)
"""The options of the command line that describe MODEL."""

MODEL: ModelSpec = model_spec(
    "prefix-heads",
    CLASSES,
    members=MEMBERS,
    grid=GridSpec(image_height=128, image_width=192, cell=16),
    training=replace(family_named("prefix-heads").training, steps=STEPS),
    options={"projection": 16, "hidden": 8},
)


@dataclass(frozen=True)
class Outcome:
    """All that a round computed and bought, by content."""

    weights: str
    scores: str
    picks: tuple[tuple[str, str, float], ...]
    version: str


def settings_of(home: Path) -> Settings:
    """Everything of a home in one folder, so that a copy of the folder is another home."""
    return Settings(home=home, storage_url=str(home / "blobs"))


def make_home(home: Path) -> None:
    """Ingest the fleet by its adapter and cache the encoder's record of every frame."""
    with open_platform(settings_of(home)) as platform:
        ingest_dataset(platform, "synthetic", None, OPTIONS)
        pool_id, _ = freeze_pool(platform, POOL)
        context = loop_context(platform)
        records = frame_records(context.place, MODEL, ensure_encoder(context, MODEL, pool_id))
        with platform.catalog.transaction() as tx:
            images = image_hashes(frames_by_id(tx, frames_of(platform, "")))
        assert not records.ensure(list(images.values()), silent)


def frames_of(platform: Platform, filter_text: str) -> list[str]:
    """The ids of the frames that a filter matches, in the order of pools."""
    with platform.catalog.transaction() as tx:
        frame_ids: list[str] = frames_matching(tx, filter_text)["item_id"].to_pylist()
    return frame_ids


def round_spec(
    platform: Platform, strategy: str = "mixdist", *, budget: int = 6, test: str = TEST, **changes: Any
) -> RoundSpec:
    """A round on a start set of 12 frames; `changes` replace fields of its specification."""
    limits = {name: changes.pop(name) for name in (*LIMITS, "group_tag") if name in changes}
    wanted = RoundSpec(MODEL, "", "", TARGETS, Budget(budget), StrategySpec(strategy, **limits))
    return prepare_round(platform, replace(wanted, **changes), pool=POOL, test=test, start=START)


def outcome_of(platform: Platform, round_id: str) -> Outcome:
    """What a finished round came to."""
    tables = contents(platform)
    (round_,) = (row for row in tables["rounds"] if row["round_id"] == round_id)
    (ensemble,) = (row for row in tables["ensembles"] if row["ensemble_id"] == round_["ensemble_id"])
    scores = [row["hash"] for row in tables["score_shards"] if row["score_id"] == round_["score_id"]]
    picks = [row for row in tables["tasks"] if row["round_id"] == round_id]
    return Outcome(
        weights=ensemble["weights_hash"],
        scores="".join(scores),
        picks=tuple(
            (row["item_id"], row["for_class"], row["score"]) for row in sorted(picks, key=lambda row: row["rank"])
        ),
        version=round_["dataset_version_id"],
    )


def contents(platform: Platform) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, in a fixed order."""
    with platform.catalog.transaction() as tx:
        return _tables(tx)


def contents_of_home(home: Path) -> dict[str, list[dict[str, Any]]]:
    """The same of a home that nobody has open."""
    with duckdb.connect(str(home / "catalog.duckdb"), read_only=True) as connection:
        return _tables(connection)


def counts(tables: Mapping[str, Sequence[object]]) -> dict[str, int]:
    """Rows of every table."""
    return {name: len(rows) for name, rows in tables.items()}


def _tables(connection: duckdb.DuckDBPyConnection) -> dict[str, list[dict[str, Any]]]:
    names = [row[0] for row in connection.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]
    found: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        cursor = connection.execute(f"SELECT * FROM {name} ORDER BY ALL")
        columns = [column[0] for column in cursor.description or ()]
        found[name] = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
    return found
