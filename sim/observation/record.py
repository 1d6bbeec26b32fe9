"""What a driver sees. Ego frame: the middle of the ego is the origin, x ahead, y to the left; SI units.

Axes: K closest agents, N closest road elements, L tracks of lanes, Q points along the route.
"""

from dataclasses import dataclass
from typing import Literal

import jax
from jaxtyping import Array, Bool, Float, Int8

EGO = (
    "speed", "steering", "acceleration", "yaw_rate", "length", "width",
    "offset", "course_cosine", "course_sine", "speed_limit", "limit_known",
    "line_ahead", "line_is_sign", "line_is_light", "light_is_stop", "light_is_caution", "light_is_go",
    "light_is_flashing_stop", "light_is_flashing_caution", "stood_before_line",
)  # fmt: skip
"""Columns of Observation.ego. `offset` is metres to the left of the route's line, `course_*` the heading against its
direction, `speed_limit` 0 where unknown, `line_ahead` metres from the front to the next stop line, at most 100."""
AGENT = (
    "x", "y", "cosine", "sine", "velocity_x", "velocity_y", "length", "width", "distance", "ahead", "aside",
    "along_speed",
)  # fmt: skip
"""Columns of the agents: velocities over the ground, `distance` from box to box, 0 where they overlap. In the frame of
the route: `ahead` metres along it from the ego's middle, `aside` metres to the left of its line, speed along it."""
ROAD = ("x", "y", "cosine", "sine", "half_length")
BORDER = ("left_x", "left_y", "right_x", "right_y")
VALUE_ONLY = ("remaining_s",)


@dataclass(frozen=True)
class ObservationSpec:
    """How much a driver sees."""

    agents: int = 64
    """K; as many as there are, if fewer."""
    roads: int = 128
    """N; at most as many as a scenario lists for a block."""
    points: int = 64
    """Q points of the route, 2 m apart."""
    points_behind: int = 10
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Of everything but `value_only`; bfloat16 holds 3 digits: metres far away, centimetres near."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Tokens:
    """A set of things, in no order that matters. Features are 0 where not valid."""

    features: Float[Array, "*b n f"]
    kinds: Int8[Array, "*b n"]
    """0 where not valid."""
    valid: Bool[Array, "*b n"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Borders:
    """Left and right borders of each track at places abreast, from 20 m behind to 106 m ahead of the ego."""

    features: Float[Array, "*b L Q 4"]
    valid: Bool[Array, "*b L Q"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Observation:
    """What the policy sees, and what its value function alone may see."""

    ego: Float[Array, "*b e"]
    """Columns EGO."""
    agents: Tokens
    """Columns AGENT, kinds AgentKind (0 is also a kind: see `valid`)."""
    roads: Tokens
    """Columns ROAD, kinds RoadKind."""
    route: Borders
    value_only: Float[Array, "*b v"]
    """Columns VALUE_ONLY. Never for a policy."""
