"""What is measured of a drive, at each step and over an episode."""

from dataclasses import dataclass

import jax
from jaxtyping import Array, Bool, Float


@dataclass(frozen=True)
class MetricSpec:
    """Thresholds of the metrics."""

    off_road_m: float = 0.0
    """The ego is off the road where a point of its border lies farther than this beyond the road's edge."""
    stood_before_line_m: float = 10.0
    """Standing counts for a stop line where the front of the ego was at most this far before it."""
    beyond_line_m: float = 4.0
    """So far beyond a stop line the ego's front may come to stand: maps know the sign and not the line, and people
    stop where they can see."""
    moving_mps: float = 0.5
    """Faster than this the ego moves: only then can it be at fault or go the wrong way."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class StepMetrics:
    """What happened in one step. Nothing of it means anything where `valid` is False."""

    valid: Bool[Array, "*b"]
    """The step ends within what was recorded (and, in training, before the episode was done)."""
    collision: Bool[Array, "*b"]
    """The ego's box overlaps that of an agent which it did not overlap at the start."""
    at_fault: Bool[Array, "*b"]
    """The ego collides while it moves, and not only with agents behind its rear."""
    off_road: Bool[Array, "*b"]
    """A corner or the middle of a side lies beyond the road's edge or where nothing is known."""
    off_route: Bool[Array, "*b"]
    """The centre of the ego lies on no lane that the route permits; never where the scene has no route, nor in its last
    two metres: who comes to the end sooner than the recording did is not lost. The centre and not the border, since
    people cut corners and drive on lines."""
    red_light: Bool[Array, "*b"]
    """The front crossed a stop line whose light was red before and after."""
    stop_line: Bool[Array, "*b"]
    """The front went beyond the line of a stop sign or of a light flashing red, and the ego had not stood at it."""
    wrong_way: Bool[Array, "*b"]
    """The ego moves more than 90 degrees from the direction of the route."""
    reversal: Bool[Array, "*b"]
    """The steering wheel turns the other way than it last turned."""
    progress: Float[Array, "*b"]
    """Metres along the route in this step."""
    road_margin: Float[Array, "*b"]
    """Metres from the road's edge to the outermost of the border's points, negative beyond; within 6.35 m."""
    speed_over_limit: Float[Array, "*b"]
    """m/s, 0 below the limit or where none is known."""
    time_to_collision: Float[Array, "*b"]
    """Seconds until the ego would touch another agent if nobody turned or changed speed; infinite for never."""
    acceleration: Float[Array, "*b"]
    """m/s^2 along the heading, over the step."""
    lateral_acceleration: Float[Array, "*b"]
    """m/s^2, positive to the left."""
    jerk: Float[Array, "*b"]
    """m/s^3 along the heading."""
    lateral_jerk: Float[Array, "*b"]


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class EpisodeMetrics:
    """What happened in an episode: any step for the events, and over the valid steps for the rest."""

    valid: Bool[Array, "*b"]
    """The episode has a valid step."""
    failure: Bool[Array, "*b"]
    """Collision or off-route."""
    collision: Bool[Array, "*b"]
    at_fault: Bool[Array, "*b"]
    """At fault in the first step of collision."""
    initial_overlap: Bool[Array, "*b"]
    """An agent overlapped the ego before it moved; that is no collision."""
    off_road: Bool[Array, "*b"]
    off_route: Bool[Array, "*b"]
    red_light: Bool[Array, "*b"]
    stop_line: Bool[Array, "*b"]
    wrong_way: Bool[Array, "*b"]
    progress: Float[Array, "*b"]
    """Metres along the route."""
    progress_ratio: Float[Array, "*b"]
    """Share of the recorded ego's progress over the recording; NaN where that is below 1 m."""
    duration: Float[Array, "*b"]
    """Seconds."""
    min_road_margin: Float[Array, "*b"]
    max_speed_over_limit: Float[Array, "*b"]
    min_time_to_collision: Float[Array, "*b"]
    max_acceleration: Float[Array, "*b"]
    """Largest magnitude, as are the next three."""
    max_lateral_acceleration: Float[Array, "*b"]
    max_jerk: Float[Array, "*b"]
    max_lateral_jerk: Float[Array, "*b"]
    mean_squared_jerk: Float[Array, "*b"]
    """m^2/s^6, of both directions together."""
    reversals_per_minute: Float[Array, "*b"]
