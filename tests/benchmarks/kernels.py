"""How many kernels a compiled program runs: counted in its text, with the rounds of loops and the branch taken."""

import re
from collections import Counter
from dataclasses import dataclass

_FREE = {"get-tuple-element", "parameter", "tuple", "bitcast", "constant", "while", "conditional", "call"}
_OPERATION = re.compile(r" = .*? ([\w\-]+)\(")


@dataclass(frozen=True)
class Kernels:
    """Kernels of a rollout."""

    kernels_per_step: float
    fusions_per_step: float
    """Those of them that are fusions; the others are single operations, mostly copies."""
    kernels_once: int
    """Outside of the steps: what begins a rollout, and the sweep over it that measures."""


def kernels_of(text: str, *, steps: int) -> Kernels:
    """Count the kernels of a program whose longest loop is that over `steps`."""
    computations, entry = _computations(text), ""
    for name, body in computations.items():
        entry = name if body.startswith("ENTRY") else entry
    inside: Counter[str] = Counter()
    everything = _counted(entry, computations)
    for line in computations[entry].splitlines():
        if " while(" in line and _rounds(line) == steps:
            inside += _counted(_named(line, "body"), computations)
    per_step, total = sum(inside.values()), sum(everything.values())
    return Kernels(per_step, inside["fusion"], total - per_step * steps)


def _computations(text: str) -> dict[str, str]:
    blocks = (block.strip() for block in text.split("\n\n"))
    return {block.removeprefix("ENTRY ").lstrip("%").split(" ", 1)[0]: block for block in blocks if "{" in block}


def _counted(name: str, computations: dict[str, str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for line in computations[name].splitlines()[1:]:
        found = _OPERATION.search(line)
        if found is None:
            continue
        operation = found.group(1)
        if operation == "while":
            for kind, count in _counted(_named(line, "body"), computations).items():
                counts[kind] += count * _rounds(line)
        elif operation == "conditional":
            counts += _counted(_taken(line), computations)
        elif operation == "call":
            counts += _counted(_named(line, "to_apply"), computations)
        elif operation not in _FREE:
            counts[operation] += 1
    return counts


def _named(line: str, role: str) -> str:
    found = re.search(rf"{role}=%?([\w.\-]+)", line)
    assert found is not None, line
    return found.group(1)


def _taken(line: str) -> str:
    """The last branch: what jax makes of a condition that holds."""
    found = re.search(r"branch_computations=\{([^}]*)\}", line)
    return found.group(1).split(",")[-1].strip().lstrip("%") if found else _named(line, "true_computation")


def _rounds(line: str) -> int:
    found = re.search(r'known_trip_count[^}]*"n":"(\d+)"', line)
    return int(found.group(1)) if found else 1
