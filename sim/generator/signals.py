"""Traffic lights in time: two groups that take turns, with time to clear the junction in between."""

import numpy as np
from numpy.typing import NDArray

from sim.kinds import LightState

_CAUTION_S = 3.0
_CLEAR_S = 2.0


def lights(generator: np.random.Generator, *, groups: int, ticks: int, tick_s: float) -> NDArray[np.int8]:
    """[ticks, groups] values of LightState, each tick `tick_s` long: green, 3 s yellow, then 2 s all red."""
    if not groups:
        return np.zeros((ticks, 0), np.int8)
    greens = generator.uniform(9.0, 14.0, groups)
    begins = np.concatenate([[0.0], np.cumsum(greens + _CAUTION_S + _CLEAR_S)])
    time = (np.arange(ticks) * tick_s + generator.uniform(0.0, begins[-1])) % begins[-1]
    states = np.full((ticks, groups), LightState.STOP, np.int8)
    for group in range(groups):
        since = time - begins[group]
        states[(since >= 0) & (since < greens[group]), group] = LightState.GO
        caution = (since >= greens[group]) & (since < greens[group] + _CAUTION_S)
        states[caution, group] = LightState.CAUTION
    return states
