"""What a result may depend on besides its inputs."""

import platform as host
from functools import cache
from importlib import metadata


@cache
def environment() -> dict[str, str]:
    """Give versions and machine."""
    packages = ("al-platform", "jax", "jaxlib", "flax", "optax", "numpy", "duckdb")
    versions = {name: metadata.version(name) for name in packages}
    return {**versions, "python": host.python_version(), "machine": f"{host.system()} {host.machine()}"}
