"""What changes while a scene is driven: a dozen numbers of the ego and a few bits."""

from dataclasses import dataclass

import jax
from jaxtyping import Array, Float, Int32, UInt32

from sim.dynamics import Motion
from sim.reacting import Traffic


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class SimState:
    """The ego at one step of a scene. Everything else of the scene is in its Scenario."""

    step: Int32[Array, "*b"]
    """Steps since the start of the recording."""
    motion: Motion
    distance: Float[Array, "*b"]
    """Metres along the route from its first point."""
    stood_at: Float[Array, "*b"]
    """Distance along the route at which the ego last stood; before it did, where it started."""
    turned: Float[Array, "*b"]
    """Direction in which it last turned the steering wheel: 1 left, -1 right, 0 not yet."""
    ignored: UInt32[Array, "*b W"]
    """One bit for each agent: set where the recording began with it inside the ego. It never counts as collided."""
    traffic: Traffic | None = None
    """The other agents where they react to the ego; None where they replay the log."""
