"""Policy and value networks: what a driver sees becomes a distribution over actions and an expected return.

Perceiver style: a few latents gather what matters from all that is seen. Agents first attend to each other,
then the latents attend to agents, road elements, route and the ego, and to themselves. Policy and value share
all of that; the value's head alone receives `value_only`. Attention therefore costs tokens x latents, not
tokens squared, but for the agents. The latents begin with the maximum over each group of tokens: it tells at once
that somebody is close ahead, where attention, a mean, has to sharpen first.

Axes: *b any batch, n tokens, d width, A acceleration bins, S steering-rate bins.

Source: Jaegle et al. 2021, section 3 (latents and cross-attention); Qi et al. 2017, section 4.2 (maximum over a set);
the heads are residual dense blocks per action dimension as in Harmel et al. 2023.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen as nn
from jaxtyping import Array, Bool, Float, Int8, Key

from sim.attention import Attention, Gathering
from sim.kinds import AgentKind, RoadKind
from sim.observation.record import AGENT, BORDER, EGO, ROAD, Observation, Tokens

Parameters: TypeAlias = Mapping[str, Any]

_METRES = 20.0
_SPEED_MPS = 10.0
_EGO_UNITS = {
    "speed": _SPEED_MPS, "speed_limit": _SPEED_MPS, "steering": 0.1, "length": 5.0, "width": 2.0, "offset": 1.0,
    "course_sine": 0.1, "line_ahead": 50.0,
}  # fmt: skip
_DONE_LAST = ("acceleration", "yaw_rate")
"""What the driver did last. A clone that sees it repeats it instead of looking around (de Haan et al. 2019)."""
_AGENT_UNITS = {
    "x": _METRES, "y": _METRES, "distance": _METRES, "velocity_x": _SPEED_MPS, "velocity_y": _SPEED_MPS,
    "length": 5.0, "width": 2.0, "ahead": _METRES, "aside": _METRES, "along_speed": _SPEED_MPS,
}  # fmt: skip
_ROAD_UNITS = {"x": _METRES, "y": _METRES, "half_length": 10.0}
_NEAR_M = (2.0, 6.0, 20.0, 60.0)
_LINE_M = (3.0, 12.0)
_SLOW_MPS = (1.0, 4.0)
"""What decides is a metre near by and ten far away, so such numbers also come as their tanh in several units."""
_REMAINING_S = 30.0
_PATCH = 8
"""Points of a track that make one token."""


@dataclass(frozen=True)
class NetworkSpec:
    """Size of a network. `width` must be a multiple of `heads`."""

    width: int = 256
    heads: int = 4
    latents: int = 8
    agent_layers: int = 1
    """Layers of attention of the agents to each other."""
    latent_layers: int = 2
    """Layers of attention of the latents to everything and to themselves."""
    head_blocks: int = 2
    """Residual dense blocks of each head."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Of activations; parameters, logits and values are float32."""

    def __post_init__(self) -> None:
        """Raises: ValueError where the heads do not divide the width."""
        if self.width < 1 or self.width % self.heads:
            raise ValueError(f"width {self.width} with {self.heads} heads: must be a multiple of them")


NETWORKS: dict[str, NetworkSpec] = {
    "xs": NetworkSpec(width=48, heads=4, latents=2, agent_layers=0, latent_layers=1, head_blocks=1),
    "s": NetworkSpec(width=80, heads=4, latents=4, agent_layers=1, latent_layers=2, head_blocks=2),
    "m": NetworkSpec(width=132, heads=4, latents=8, agent_layers=1, latent_layers=2, head_blocks=2),
    "l": NetworkSpec(width=360, heads=8, latents=16, agent_layers=2, latent_layers=2, head_blocks=2),
}
"""By name. `xs` trains on two processor cores; the others have about 0.75, 2.5 and 25 million parameters."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Outputs:
    """What a network says of an observation."""

    acceleration: Float[Array, "*b A"]
    """Logits."""
    steering_rate: Float[Array, "*b S"]
    value: Float[Array, "*b"]
    """Expected discounted return."""


def network_named(name: str) -> NetworkSpec:
    """Give the spec of a size.

    Raises: ValueError for a name that no size has.
    """
    if name not in NETWORKS:
        raise ValueError(f"network {name!r}: must be one of {', '.join(NETWORKS)}")
    return NETWORKS[name]


def init(spec: NetworkSpec, key: Key[Array, ""], example: Observation, *, actions: tuple[int, int]) -> Parameters:
    """Make parameters for observations shaped as the example (any batch) and so many bins of each dimension."""
    parameters: Parameters = Driver(spec, actions).init(key, example)
    return parameters


def apply(spec: NetworkSpec, parameters: Parameters, seen: Observation, *, actions: tuple[int, int]) -> Outputs:
    """Give logits and value of observations of any batch shape."""
    outputs = Driver(spec, actions).apply(parameters, seen)
    assert isinstance(outputs, Outputs)
    return outputs


def parameter_count(parameters: Parameters) -> int:
    """Number of trained numbers."""
    return sum(leaf.size for leaf in jax.tree.leaves(parameters))


class Driver(nn.Module):
    """The whole network."""

    spec: NetworkSpec
    actions: tuple[int, int]

    @nn.compact
    def __call__(self, seen: Observation) -> Outputs:
        """Logits and value."""
        shared = Encoder(self.spec, name="encoder")(seen)
        accelerations, rates = self.actions
        remaining = seen.value_only.astype(jnp.float32) / _REMAINING_S
        return Outputs(
            acceleration=Head(self.spec, accelerations, name="acceleration")(shared),
            steering_rate=Head(self.spec, rates, name="steering_rate")(shared),
            value=Head(self.spec, 1, name="value")(jnp.concatenate([shared, remaining], axis=-1))[..., 0],
        )


class Encoder(nn.Module):
    """What is seen, in `latents` x `width` numbers."""

    spec: NetworkSpec

    @nn.compact
    def __call__(self, seen: Observation) -> Float[Array, "*b n"]:
        """The latents side by side."""
        spec, dtype = self.spec, jnp.dtype(self.spec.dtype)
        size = (spec.width, spec.heads, dtype)
        own = _own(seen.ego, dtype)
        ego = nn.Dense(spec.width, dtype=dtype, name="ego")(own)
        agents = Embedding(spec, name="agents")(_agents(seen), own)
        for layer in range(spec.agent_layers):
            agents = Attention(*size, name=f"agents_{layer}")(agents, agents, seen.agents.valid)
        roads = Embedding(spec, name="roads")(_features(seen.roads, ROAD, _ROAD_UNITS, len(RoadKind)), own)
        route, route_valid = Route(spec, name="route")(seen, own)
        # The ego is a token that is always valid: with nothing else in sight attention still has something to weigh.
        own = jnp.ones((*seen.ego.shape[:-1], 1), bool)
        tokens = [ego[..., None, :], agents, roads, route]
        valid = [own, seen.agents.valid, seen.roads.valid, route_valid]
        start = self.param("latents", nn.initializers.normal(1.0), (spec.latents, spec.width))
        most = nn.Dense(spec.width, dtype=dtype, name="most")(_most(tokens[1:], valid[1:]))
        latents = start.astype(dtype) + (ego + most)[..., None, :]
        everything = jnp.ones(latents.shape[:-1], bool)
        for layer in range(spec.latent_layers):
            latents = Gathering(*size, name=f"gather_{layer}")(latents, tokens, valid)
            if spec.latents > 1:
                latents = Attention(*size, name=f"think_{layer}")(latents, latents, everything)
        shared: Array = nn.LayerNorm(dtype=jnp.float32)(latents)
        return shared.reshape(*shared.shape[:-2], -1)


class Embedding(nn.Module):
    """Two dense layers that every token passes by itself, beside what the ego does.

    How another agent's speed matters depends on the ego's: a sum over tokens could not tell any more which of them
    the ego closes in on.
    """

    spec: NetworkSpec

    @nn.compact
    def __call__(self, features: Float[Array, "*b n f"], own: Float[Array, "*b e"]) -> Float[Array, "*b n d"]:
        """Tokens of the network's width, all alike where not valid."""
        dtype = jnp.dtype(self.spec.dtype)
        rows = features.astype(dtype).reshape(-1, features.shape[-1])
        shape = (*features.shape[:-1], self.spec.width)
        hidden = nn.Dense(self.spec.width, dtype=dtype)(rows).reshape(shape)
        hidden = hidden + nn.Dense(self.spec.width, use_bias=False, dtype=dtype)(own)[..., None, :]
        return nn.Dense(self.spec.width, dtype=dtype)(nn.relu(hidden).reshape(-1, shape[-1])).reshape(shape)


class Route(nn.Module):
    """Borders of the tracks, eight points abreast to a token that knows its place along the route."""

    spec: NetworkSpec

    @nn.compact
    def __call__(
        self, seen: Observation, own: Float[Array, "*b e"]
    ) -> tuple[Float[Array, "*b n d"], Bool[Array, "*b n"]]:
        """Tokens and which of them have a point."""
        dtype = jnp.dtype(self.spec.dtype)
        *batch, tracks, points = seen.route.valid.shape
        patches = -(-points // _PATCH)
        padding = [(0, 0)] * len(batch) + [(0, 0), (0, patches * _PATCH - points)]
        valid = jnp.pad(seen.route.valid, padding).reshape(*batch, tracks, patches, _PATCH)
        features = jnp.pad(seen.route.features, [*padding, (0, 0)])
        features = features.reshape(*batch, tracks, patches, _PATCH * len(BORDER)).astype(dtype) / _METRES
        features = jnp.concatenate([features, valid.astype(dtype)], axis=-1)
        place = self.param("place", nn.initializers.normal(0.1), (patches, self.spec.width))
        rows = features.reshape(-1, features.shape[-1])
        placed = nn.Dense(self.spec.width, dtype=dtype)(rows).reshape(*features.shape[:-1], -1) + place.astype(dtype)
        placed = placed + nn.Dense(self.spec.width, use_bias=False, dtype=dtype)(own)[..., None, None, :]
        hidden = nn.relu(placed).reshape(-1, self.spec.width)
        tokens = nn.Dense(self.spec.width, dtype=dtype)(hidden).reshape(*batch, tracks * patches, self.spec.width)
        some = valid.any(axis=-1).reshape(*batch, tracks * patches)
        return tokens, some


class Head(nn.Module):
    """Residual dense blocks and one layer that begins at zero: all actions equally likely, nothing to be earned."""

    spec: NetworkSpec
    outputs: int

    @nn.compact
    def __call__(self, shared: Float[Array, "*b n"]) -> Float[Array, "*b o"]:
        """Float32 numbers."""
        dtype = jnp.dtype(self.spec.dtype)
        hidden = nn.Dense(2 * self.spec.width, dtype=dtype)(shared.astype(dtype))
        for _ in range(self.spec.head_blocks):
            inner = nn.relu(nn.Dense(2 * self.spec.width, dtype=dtype)(nn.LayerNorm(dtype=dtype)(hidden)))
            hidden = hidden + nn.Dense(2 * self.spec.width, dtype=dtype)(inner)
        hidden = nn.relu(nn.LayerNorm(dtype=jnp.float32)(hidden))
        return nn.Dense(self.outputs, kernel_init=nn.initializers.zeros, dtype=jnp.float32)(hidden)


def _own(ego: Float[Array, "*b e"], dtype: Any) -> Float[Array, "*b f"]:
    """What a driver may know of its own car."""
    known = [number for number, column in enumerate(EGO) if column not in _DONE_LAST]
    scaled = _scaled(ego[..., np.array(known)], tuple(EGO[number] for number in known), _EGO_UNITS, dtype)
    line, speed = _column(ego, EGO, "line_ahead"), _column(ego, EGO, "speed")
    return jnp.concatenate([scaled, _squashed([line], _LINE_M, dtype), _squashed([speed], _SLOW_MPS, dtype)], axis=-1)


def _agents(seen: Observation) -> Float[Array, "*b n f"]:
    """Features of the agents; besides what is seen, who is in the way and how fast the ego closes in."""
    features = seen.agents.features
    there = {name: _column(features, AGENT, name) for name in ("x", "y", "distance", "ahead", "aside", "along_speed")}
    in_way = there["aside"] - _column(seen.ego, EGO, "offset")[..., None]
    closing = there["along_speed"] - _column(seen.ego, EGO, "speed")[..., None]
    near = [there["x"], there["y"], there["distance"], there["ahead"], in_way]
    more = [
        _squashed(near, _NEAR_M, features.dtype),
        _squashed([closing], _SLOW_MPS, features.dtype),
        (closing / _SPEED_MPS).astype(features.dtype)[..., None],
    ]
    plain = _features(seen.agents, AGENT, _AGENT_UNITS, len(AgentKind))
    return jnp.concatenate([plain, jnp.where(seen.agents.valid[..., None], jnp.concatenate(more, axis=-1), 0)], axis=-1)


def _column(values: Float[Array, "*b f"], columns: tuple[str, ...], name: str) -> Float[Array, "*b"]:
    return values[..., columns.index(name)].astype(jnp.float32)


def _squashed(values: Sequence[Array], units: tuple[float, ...], dtype: Any) -> Float[Array, "*b f"]:
    """Each of the values [*b] in each unit, within [-1, 1]."""
    every = jnp.stack([value / unit for value in values for unit in units], axis=-1)
    return jnp.tanh(every).astype(dtype)


def _most(tokens: Sequence[Array], valid: Sequence[Array]) -> Float[Array, "*b g"]:
    """Maximum over the valid tokens of each group [*b, n, d], side by side; 0 at least, as if one were all zeros."""
    highest = [
        jnp.where(there[..., None], group, 0).max(axis=-2, initial=0)
        for group, there in zip(tokens, valid, strict=True)
    ]
    return jnp.concatenate(highest, axis=-1)


def _features(
    tokens: Tokens, columns: tuple[str, ...], units: Mapping[str, float], kinds: int
) -> Float[Array, "*b n f"]:
    """Scaled columns and the kind as one-hot; 0 where not valid."""
    scaled = _scaled(tokens.features, columns, units, tokens.features.dtype)
    kind: Int8[Array, "*b n"] = tokens.kinds
    every = jnp.concatenate([scaled, jax.nn.one_hot(kind, kinds, dtype=scaled.dtype)], axis=-1)
    return jnp.where(tokens.valid[..., None], every, 0)


def _scaled(
    values: Float[Array, "*b f"], columns: tuple[str, ...], units: Mapping[str, float], dtype: Any
) -> Float[Array, "*b f"]:
    scale = jnp.array([1.0 / units.get(column, 1.0) for column in columns], jnp.float32)
    return (values.astype(jnp.float32) * scale).astype(dtype)
