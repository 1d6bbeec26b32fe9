"""A Ray cluster of one machine, and a command beside it: `python -m tests.contracts.ray_cluster FOLDER COMMAND...`

Ray's servers listen on every address of the machine and outlive who started them. So this is to be the first process
of a network and a process table of its own, see `APART`: when it ends, the kernel ends all of them.
"""

import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

APART = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--")
"""Starts a command in a network, where nothing but itself can be reached, and a process table of its own."""

PORT, DASHBOARD = 26379, 28265
ADDRESS = f"http://127.0.0.1:{DASHBOARD}"
_PATIENCE_S = 240.0
_LITTLE_BYTES = 100_000_000
_ENVIRONMENT = {
    "ALP_TEST_RAY": ADDRESS,
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_worker_prestart": "0",
    "RAY_raylet_start_wait_time_s": "240",  # on a loaded machine the defaults are not enough
    "RAY_DASHBOARD_STARTUP_TIMEOUT_S": "240",
}


def main() -> int:
    """Start the cluster, run the command with its address in ALP_TEST_RAY, and give the exit code of the command."""
    folder, *command = sys.argv[1:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.environ.update(_ENVIRONMENT)
    start = [
        *(sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--disable-usage-stats"),
        *("--node-ip-address=127.0.0.1", f"--port={PORT}", "--include-dashboard=true", "--num-cpus=2", "--no-monitor"),
        *("--dashboard-host=127.0.0.1", f"--dashboard-port={DASHBOARD}", f"--temp-dir={folder}"),
        f"--object-store-memory={_LITTLE_BYTES}",
    ]
    with (Path(folder) / "cluster.log").open("ab") as log, subprocess.Popen(start, stdout=log, stderr=log) as cluster:
        try:
            _wait_for(cluster)
            return subprocess.run(command, check=False).returncode
        finally:
            cluster.kill()


def _wait_for(cluster: "subprocess.Popen[bytes]") -> None:
    patience = time.monotonic() + _PATIENCE_S
    while True:
        try:
            with urllib.request.urlopen(f"{ADDRESS}/api/version", timeout=5):
                return
        except OSError as error:
            if cluster.poll() is not None or time.monotonic() > patience:
                sys.exit(f"Ray did not start: {error}")
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
