"""Generated scenes, read as recorded ones are: a source is a seed and a number, and holds one scene."""

from collections.abc import Iterator

from al_platform.datasets.scenarios.base import RefusedScene, SourceScene
from sim.generator import NoScene, scene

GENERATED = "generated"
"""In place of a format's name, and of a data set's."""


def origin_of(seed: int, number: int) -> str:
    """Give the name of a scene: `generated/0/17` is number 17 of seed 0, whatever else is made with it."""
    return f"{GENERATED}/{seed}/{number}"


def generated_scenes(origin: str) -> Iterator[SourceScene | RefusedScene]:
    """Make the one scene of this name, or tell why it did not come about."""
    _, seed, number = origin.split("/")
    try:
        recording = scene(int(seed), int(number))
    except NoScene as failed:
        yield RefusedScene(origin, "no drawing came out well", str(failed))
        return
    name = f"{seed}/{number}"
    yield SourceScene(recording=recording, name=name, dataset=GENERATED, session=name, origin=origin)
