"""Compiled functions kept between processes: a command that is given again need not compile again."""

import uuid
from pathlib import Path, PosixPath
from typing import TYPE_CHECKING

import jax
from etils import epath

if TYPE_CHECKING:
    from typing_extensions import Buffer

_WORTH_KEEPING_S = 0.5
_UNBOUNDED = -1
_SCHEME = "whole://"


def keep_compiled(folder: Path) -> None:
    """Keep what XLA compiles in a folder, or in the one that JAX_COMPILATION_CACHE_DIR names.

    The first home that a process opens decides: XLA opens its cache once. On a full or read-only disk nothing is kept,
    of which JAX warns, and nothing else changes. A cache that is bounded by JAX_COMPILATION_CACHE_MAX_SIZE is left to
    JAX, which locks it.
    """
    named = jax.config.values["jax_compilation_cache_dir"]
    if named is None:
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _WORTH_KEEPING_S)
    place = str(named or folder)
    bounded = jax.config.values["jax_compilation_cache_max_size"] != _UNBOUNDED
    jax.config.update("jax_compilation_cache_dir", place if bounded or "://" in place else _SCHEME + place)


class _Whole(PosixPath):
    """A path at which a file is there whole or not at all.

    JAX writes its cache in place. What a kill or a full disk left of a program would be read, warned of and compiled
    again in every process from then on, since JAX never writes what is there.
    """

    def write_bytes(self, data: "Buffer") -> int:
        """Write beside and rename. Without fsync: what a power cut leaves is not worth a wait for each program."""
        temporary = Path(self.with_name(f".{uuid.uuid4().hex}"))
        try:
            written = temporary.write_bytes(data)
            temporary.replace(self)
        finally:
            temporary.unlink(missing_ok=True)
        return written


@epath.register_path_cls(_SCHEME)
class _ByScheme:
    """JAX opens its folder as a path of `epath`, which asks here for those of our scheme."""

    def __new__(cls, place: str) -> _Whole:  # type: ignore[misc]
        return _Whole(place.removeprefix(_SCHEME))
