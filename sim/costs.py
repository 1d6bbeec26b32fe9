"""What a network's forward pass costs, part by part: floating-point operations of its matrix products.

They are counted in the program as it is traced, so that the count follows the network. Activations, normalisations
and softmax are left out: a few percent.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from math import prod
from typing import Any

import jax
from jax.extend.core import Jaxpr, jaxprs_in_params

from sim.networks import NetworkSpec, apply, init
from sim.observation.record import Observation

_EMBEDDED = ("ego", "agents", "roads", "route", "most")
_ATTENTION = {"agents": "agents to each other", "gather": "latents to all tokens", "think": "latents to each other"}


def forward_costs(spec: NetworkSpec, seen: Observation, *, actions: tuple[int, int]) -> dict[str, int]:
    """FLOPs for one observation by part, a multiplication and its addition counted as two.

    Parts are "embedding", "heads", and each kind of attention that the network has.

    Of the observation, which has no batch axis, only shapes are looked at: those of `jax.eval_shape` will do.
    """
    parameters = jax.eval_shape(partial(init, spec, actions=actions), jax.random.key(0), seen)
    program = jax.make_jaxpr(partial(apply, spec, actions=actions))(parameters, seen)
    costs: defaultdict[str, int] = defaultdict(int)
    for product in _products(program.jaxpr):
        part = _part(str(product.source_info.name_stack))
        (contracted, _), _ = product.params["dimension_numbers"]
        shape = product.invars[0].aval.shape
        costs[part] += 2 * prod(product.outvars[0].aval.shape) * prod(shape[axis] for axis in contracted)
    return dict(costs)


def _products(program: Jaxpr) -> Iterator[Any]:
    for equation in program.eqns:
        if equation.primitive.name == "dot_general":
            yield equation
        for inner in jaxprs_in_params(equation.params):
            yield from _products(inner)


def _part(scope: str) -> str:
    """The part that a scope of modules, `Driver/encoder/gather_0/...`, belongs to."""
    _, room, name, *_ = scope.split("/")
    if room != "encoder":
        return "heads"
    return "embedding" if name in _EMBEDDED else _ATTENTION[name.rsplit("_", 1)[0]]
