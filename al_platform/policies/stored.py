"""Trained drivers as one blob, and back: what they see, which actions they choose from, and their weights."""

import json
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import serialization

from al_platform.domain.hashing import canonical_json
from al_platform.domain.records import record_from_json
from al_platform.errors import CorruptBlob, InvalidInput
from al_platform.storage.blobs import BlobStore
from sim.actions import ActionSpec
from sim.kinds import AgentKind, RoadKind
from sim.networks import NetworkSpec, Parameters, init
from sim.observation.record import AGENT, BORDER, EGO, ROAD, VALUE_ONLY, Borders, Observation, ObservationSpec, Tokens

_MEDIA_TYPE = "application/msgpack"
_FORMAT = 1


@dataclass(frozen=True)
class Drivers:
    """An ensemble of drivers that share everything but their weights."""

    network: NetworkSpec
    parameters: Parameters
    """Stacked: [M, ...]."""
    actions: ActionSpec = field(default_factory=ActionSpec)
    observation: ObservationSpec = field(default_factory=ObservationSpec)

    @property
    def members(self) -> int:
        """How many drivers there are."""
        return int(jax.tree.leaves(self.parameters)[0].shape[0])

    def member(self, number: int) -> Parameters:
        """Give the weights of one driver.

        Raises: InvalidInput for a number that none has.
        """
        if not 0 <= number < self.members:
            raise InvalidInput(f"driver {number}: this policy has drivers 0 to {self.members - 1}")
        own: Parameters = jax.tree.map(lambda leaf: leaf[number], self.parameters)
        return own


def fresh_parameters(
    network: NetworkSpec, keys: jax.Array, *, actions: ActionSpec, observation: ObservationSpec
) -> Parameters:
    """Give weights [M, ...] that know nothing, one driver for each of the keys [M]."""
    made: Parameters = _fresh(keys, network=network, counts=actions.counts, observation=observation)
    return made


@partial(jax.jit, static_argnames=("network", "counts", "observation"))
def _fresh(
    keys: jax.Array, *, network: NetworkSpec, counts: tuple[int, int], observation: ObservationSpec
) -> Parameters:
    example = example_of(observation)
    made: Parameters = jax.vmap(lambda key: init(network, key, example, actions=counts))(keys)
    return made


def example_of(spec: ObservationSpec) -> Observation:
    """Give an observation of zeros: the shapes that a driver sees.

    The weights do not depend on how many agents and roads there are, only on the columns of each.
    """
    dtype = jnp.dtype(spec.dtype)

    def tokens(count: int, columns: int) -> Tokens:
        return Tokens(jnp.zeros((count, columns), dtype), jnp.zeros(count, jnp.int8), jnp.zeros(count, bool))

    tracks = 1
    return Observation(
        ego=jnp.zeros(len(EGO), dtype),
        agents=tokens(spec.agents, len(AGENT)),
        roads=tokens(spec.roads, len(ROAD)),
        route=Borders(jnp.zeros((tracks, spec.points, len(BORDER)), dtype), jnp.zeros((tracks, spec.points), bool)),
        value_only=jnp.zeros(len(VALUE_ONLY), jnp.float32),
    )


def write_drivers(blobs: BlobStore, drivers: Drivers) -> str:
    """Store drivers and give the hash of their blob; equal drivers have equal hashes."""
    weights = jax.tree.map(np.asarray, drivers.parameters)
    content = {
        "format": _FORMAT,
        "about": canonical_json(_about(drivers)),
        "parameters": serialization.to_state_dict(weights),
    }
    return blobs.put(serialization.msgpack_serialize(content), media_type=_MEDIA_TYPE).hash


def read_drivers(blobs: BlobStore, weights_hash: str, *, network: NetworkSpec | None = None) -> Drivers:
    """Give the drivers of a blob; with `network` only those of this size.

    Raises: NotFound where the store lacks the blob; CorruptBlob where it holds something else;
        InvalidInput where its network is not the one that is asked for.
    """
    try:
        content = serialization.msgpack_restore(blobs.get(weights_hash))
        about = json.loads(content["about"])
        drivers = Drivers(
            network=_record(NetworkSpec, about["network"]),
            actions=_record(ActionSpec, about["actions"]),
            observation=_record(ObservationSpec, about["observation"]),
            parameters=content["parameters"],
        )
        unlike = _difference(drivers) if about["columns"] == _columns() else f"they see {about['columns']}"
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # what msgpack and records raise for any bytes
        raise CorruptBlob(f"blob {weights_hash}: holds no drivers ({error}); train the policy again") from error
    if unlike:
        raise CorruptBlob(f"blob {weights_hash}: {unlike}; train the policy again")
    if network is not None and network != drivers.network:
        raise InvalidInput(
            f"drivers {weights_hash}: their network is {drivers.network}, not {network}; name a policy of this size"
        )
    return drivers


def _about(drivers: Drivers) -> dict[str, Any]:
    return {
        "network": asdict(drivers.network),
        "actions": asdict(drivers.actions),
        "observation": asdict(drivers.observation),
        "columns": _columns(),
    }


def _columns() -> list[Any]:
    """What every number that a driver sees means."""
    return [*map(list, (EGO, AGENT, ROAD, BORDER, VALUE_ONLY)), [kind.name for kind in (*AgentKind, *RoadKind)]]


def _record(kind: type[Any], plain: dict[str, Any]) -> Any:
    return record_from_json(kind, json.dumps(plain))


def _difference(drivers: Drivers) -> str:
    """What tells the weights from those that this network would have; "" for nothing."""
    keys = jax.eval_shape(lambda: jax.random.split(jax.random.key(0), drivers.members))
    wanted = jax.eval_shape(
        lambda keys: fresh_parameters(drivers.network, keys, actions=drivers.actions, observation=drivers.observation),
        keys,
    )
    shapes = {jax.tree_util.keystr(path): leaf.shape for path, leaf in jax.tree_util.tree_leaves_with_path(wanted)}
    found = jax.tree_util.tree_leaves_with_path(drivers.parameters)
    there = {jax.tree_util.keystr(path): np.shape(leaf) for path, leaf in found}
    for name in sorted(shapes.keys() | there.keys()):
        if shapes.get(name) != there.get(name):
            return f"weights {name} are {there.get(name)}, this platform's network has {shapes.get(name)}"
    return ""
