"""Scenes without a licence, any number of them: roads, traffic, and an expert who drives without failure."""

from sim.generator.batch import generate
from sim.generator.scene import NoScene, drawn_scene, scene, scenes
from sim.generator.spec import HARD_KINDS, KINDS, TAGS, GeneratorSpec

__all__ = ["HARD_KINDS", "KINDS", "TAGS", "GeneratorSpec", "NoScene", "drawn_scene", "generate", "scene", "scenes"]
