"""What a driver sees of a scene."""

from sim.observation.observe import observe
from sim.observation.record import AGENT, BORDER, EGO, ROAD, VALUE_ONLY, Borders, Observation, ObservationSpec, Tokens

__all__ = [
    "AGENT",
    "BORDER",
    "EGO",
    "ROAD",
    "VALUE_ONLY",
    "Borders",
    "Observation",
    "ObservationSpec",
    "Tokens",
    "observe",
]
