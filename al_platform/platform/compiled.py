"""Compiled functions kept between processes: a command that is given again need not compile again."""

from pathlib import Path

import jax

_WORTH_KEEPING_S = 0.5


def keep_compiled(folder: Path) -> None:
    """Keep what XLA compiles in a folder, unless JAX_COMPILATION_CACHE_DIR names another.

    The first home that a process opens decides: XLA opens its cache once.
    """
    if jax.config.values["jax_compilation_cache_dir"] is None:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", _WORTH_KEEPING_S)
