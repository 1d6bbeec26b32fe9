"""What is compiled is kept whole, and that it cannot be kept changes no result."""

import os
import subprocess
import sys
from pathlib import Path

KEEP = """
import resource, signal, sys, warnings
from pathlib import Path
import jax
from al_platform.platform.compiled import keep_compiled

told = []
jax.monitoring.register_event_listener(lambda event, **_: told.append(event.rpartition("/")[2]))
keep_compiled(Path(sys.argv[1]))
if "full" in sys.argv:  # a file beyond this limit fails as on a full disk
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
with warnings.catch_warnings(record=True) as warned:
    print(float(jax.jit(lambda x: (x @ x).sum())(jax.numpy.ones((3, 3)))))
print(len(warned) > 0, told.count("cache_hits") > 0)
"""


def ran(folder: Path, *words: str) -> list[str]:
    """The number that comes out, whether there were warnings, whether a compiled program was found."""
    environment = {**os.environ, "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    environment["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    command = [sys.executable, "-c", KEEP, str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout.split()


def test_a_program_is_kept_and_a_full_disk_leaves_no_part_of_one(tmp_path: Path) -> None:
    kept = tmp_path / "xla"
    assert ran(kept, "full") == ["27.0", "True", "False"]
    assert list(kept.iterdir()) == []
    assert ran(kept) == ["27.0", "False", "False"]
    assert all(path.name.endswith("-cache") for path in kept.iterdir())
    assert ran(kept) == ["27.0", "False", "True"]


def test_where_nothing_can_be_kept_the_result_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert ran(tmp_path / "file" / "xla") == ["27.0", "True", "False"]
