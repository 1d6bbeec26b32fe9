"""What a result may depend on besides its inputs."""

import platform as host
from functools import cache
from importlib import metadata
from pathlib import Path

from al_platform.domain.hashing import hash_bytes

_SOURCES = ("al_platform", "acquisition", "sim")
_CODE_CHARACTERS = 12


@cache
def environment() -> dict[str, str]:
    """Give versions, the hash of our own source, and the machine."""
    packages = ("al-platform", "jax", "jaxlib", "flax", "optax", "numpy", "duckdb")
    versions = {name: metadata.version(name) for name in packages}
    machine = f"{host.system()} {host.machine()}"
    return {**versions, "code": _code(), "python": host.python_version(), "machine": machine}


def _code() -> str:
    """The same wherever the same files are installed: their names and contents, in order."""
    root = Path(__file__).parents[2]
    files = sorted(path for source in _SOURCES for path in (root / source).rglob("*.py"))
    content = b"".join(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0" for path in files)
    return hash_bytes(content)[:_CODE_CHARACTERS]
