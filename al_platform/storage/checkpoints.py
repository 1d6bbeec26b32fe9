"""Checkpoints of long work on disk, by orbax."""

import shutil
import time
from pathlib import Path
from typing import Any, Protocol, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp

from al_platform.errors import CorruptBlob, StorageUnavailable


class Stepping(Protocol):
    """A frozen dataclass of arrays, one of which counts the steps that were made."""

    @property
    def step(self) -> Any:
        """Steps made so far: an integer or an array of one."""


State = TypeVar("State", bound=Stepping)


class OrbaxCheckpoints:
    """Keeps the newest state in a folder. Saving takes about 0.3 s, so it is done every `every_s` seconds.

    How often it saves has no influence on the result, only on how much a killed training repeats.
    """

    def __init__(self, folder: Path, *, every_s: float = 20.0) -> None:
        self._folder = folder
        self._every_s = every_s
        self._saved_at = time.monotonic()
        self._saved_step = 0

    def restore(self, like: State) -> State | None:
        """Give the newest whole state, None where there is none.

        Raises: CorruptBlob where its files were damaged or are of another version.
        """
        if not self._folder.is_dir():
            return None
        try:
            restored = self._read(like)
            self._saved_step = 0 if restored is None else int(restored.step)
            return restored
        except (OSError, ValueError, KeyError) as error:  # what orbax lets through, by the file that is damaged
            reason = str(error).splitlines()[0]
            raise CorruptBlob(
                f"checkpoints {self._folder}: cannot be read ({reason}). Delete the folder: the training starts anew"
            ) from error

    def _read(self, like: State) -> State | None:
        with ocp.CheckpointManager(self._folder.absolute()) as manager:
            newest = manager.latest_step()
            if newest is None:
                return None
            abstract = jax.tree.map(ocp.utils.to_shape_dtype_struct, vars(like))
            restored = manager.restore(newest, args=ocp.args.StandardRestore(abstract))
        # Orbax commits arrays to a device; for those XLA compiles every function once more.
        return type(like)(**jax.tree.map(lambda leaf: jnp.array(np.asarray(leaf)), restored))

    def save(self, state: State, *, last: bool, stopping: bool = False) -> None:
        """Keep the state when the last was kept long enough ago, or when the training stops early here.

        A finished training needs no checkpoint.

        Raises: StorageUnavailable when the disk is full or read-only.
        """
        due = stopping or time.monotonic() - self._saved_at >= self._every_s
        if last or not due or int(state.step) == self._saved_step:
            return
        try:
            self._write(state)
        except (OSError, ValueError) as error:  # orbax gives what its array files raise as ValueError
            raise StorageUnavailable(
                f"checkpoints {self._folder}: {error}. Free space or make it writable, then run again"
            ) from error
        self._saved_at, self._saved_step = time.monotonic(), int(state.step)

    def _write(self, state: State) -> None:
        # Here and now: who goes on only once it is written gains nothing from threads that wait for each other.
        options = ocp.CheckpointManagerOptions(max_to_keep=1, create=True, enable_async_checkpointing=False)
        with ocp.CheckpointManager(self._folder.absolute(), options=options) as manager:
            manager.save(int(state.step), args=ocp.args.StandardSave(vars(state)))

    def clear(self) -> None:
        """Forget the states of a training whose result is kept."""
        shutil.rmtree(self._folder, ignore_errors=True)
