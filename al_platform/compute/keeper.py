"""The keeper of a job: starts it, passes on the word to stop, and writes down how it ended. Standard library alone.

    python -m al_platform.compute.keeper FOLDER LOCK GRACE PROGRAM...

LOCK is the descriptor of the folder's lock, inherited from whoever submitted. The job inherits it in turn, so it is
held as long as one of both lives.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

_LOOK_EVERY_S = 0.05
_KILOBYTE = 1 if sys.platform == "darwin" else 1024
"""The unit in which the system tells memory."""


def main() -> None:
    """Leave the process that submitted, then keep the job to its end."""
    folder, lock, grace, *program = sys.argv[1:]
    if os.fork():
        os._exit(0)  # whoever submitted waits for this process; the keeper itself is nobody's child
    keep(Path(folder), int(lock), float(grace), program)


def keep(folder: Path, lock: int, grace_s: float, program: list[str]) -> None:
    """Run the program on the folder; once `stop` lies there interrupt it, and kill it when the grace is over."""
    started = time.monotonic()
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [*program, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a group of its own, which is told to stop as a whole
            pass_fds=[lock],
        )
    interrupted: float | None = None
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if interrupted is None and (folder / "stop").exists():
            interrupted = time.monotonic()
            os.killpg(process.pid, signal.SIGINT)
        elif interrupted is not None and time.monotonic() - interrupted > grace_s:
            os.killpg(process.pid, signal.SIGKILL)
        time.sleep(_LOOK_EVERY_S)
    write_end(folder, status, usage, seconds=time.monotonic() - started)


def write_end(folder: Path, status: int, usage: resource.struct_rusage, *, seconds: float) -> None:
    """Write down how a process ended that was waited for, and what it cost."""
    ended = {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": seconds,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_memory_bytes": usage.ru_maxrss * _KILOBYTE,
    }
    temporary = folder / ".exit.json"
    temporary.write_text(json.dumps(ended))
    temporary.replace(folder / "exit.json")


if __name__ == "__main__":
    main()
