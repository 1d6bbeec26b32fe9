"""The service with a large pool and many clients: latency, throughput, memory. One table.

The clients run on the same cores as the server, so that its own share is larger than what is measured.
"""

import argparse
import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np

from al_platform.catalog.connection import Catalog

ALP = shutil.which("alp", path=str(Path(sys.executable).parent)) or "alp"
WEATHER = "['clear', 'rain', 'overcast', 'fog']"


def generate(home: Path, frames: int) -> None:
    """Fill a catalog with frames of drives of 200, in the order in which an ingest would have."""
    catalog = Catalog.open(home / "catalog.duckdb")
    with catalog.transaction() as tx:
        tx.execute(
            "INSERT INTO sessions (session_id, dataset) SELECT format('drive_{:06d}', i), 'fleet' "
            f"FROM range({frames // 200}) t(i)"
        )
        tx.execute(
            "INSERT INTO frames (frame_id, dataset, session_id, frame_number, timestamp_s, width, height, brightness, "
            "sharpness, image_hash, image_size, media_type, tags, origin) "
            "SELECT 'frm_' || md5(i::VARCHAR)[:24], 'fleet', format('drive_{:06d}', i // 200), i % 200, (i % 200) / 5, "
            "1920, 1080, hash(i) % 256, hash(i + 1) % 1000, md5(i::VARCHAR), 100000, 'image/jpeg', "
            "json_object('split', CASE WHEN (i // 200) % 4 = 0 THEN 'test' ELSE 'pool' END, "
            f"'weather', ({WEATHER})[1 + (hash(i // 200) % 4)::INT]), 'generated' FROM range({frames}) t(i)"
        )
    catalog.close()


def requests(cursor: str, frame: str) -> dict[str, Callable[[httpx.AsyncClient], "asyncio.Future[httpx.Response]"]]:
    """Name to request."""

    def get(path: str, **params: str | int) -> Callable[..., "asyncio.Future[httpx.Response]"]:
        return lambda client: client.get(path, params=params)  # type: ignore[return-value]

    return {
        "health": get("/health"),
        "one frame": get(f"/v1/frames/{frame}"),
        "first page of 50": get("/v1/frames"),
        "page of 50 from the middle": get("/v1/frames", cursor=cursor),
        "filter brightness>=200": get("/v1/frames", filter="brightness>=200"),
        "filter weather=rain (tag)": get("/v1/frames", filter="weather=rain"),
        "count brightness>=200": get("/v1/frames/count", filter="brightness>=200"),
        "sessions, page of 50": get("/v1/sessions"),
    }


async def measure(url: str, key: str, *, clients: int, seconds: float) -> list[tuple[str, int, float, float, float]]:
    """Give (request, answers, p50 ms, p99 ms, answers per second) with all clients asking without a pause."""
    limits = httpx.Limits(max_connections=clients)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=120.0) as client:
        session = "drive_002500"
        middle = (await client.get("/v1/frames", params={"filter": f"session_id={session}", "limit": 50})).json()
        rows = []
        for name, ask in requests(middle["next_cursor"], middle["items"][0]["frame_id"]).items():
            took: list[float] = []
            end = time.perf_counter() + seconds

            async def one(ask=ask, took=took, end=end) -> None:  # type: ignore[no-untyped-def]
                while time.perf_counter() < end:
                    started = time.perf_counter()
                    (await ask(client)).raise_for_status()
                    took.append(time.perf_counter() - started)

            began = time.perf_counter()
            await asyncio.gather(*(one() for _ in range(clients)))
            p50, p99 = np.percentile(np.array(took) * 1000, [50, 99])
            rows.append((name, len(took), float(p50), float(p99), len(took) / (time.perf_counter() - began)))
    return rows


def memory_mib(pid: int) -> float:
    """Resident memory of a process."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else float("nan")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 200])
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        generate(home, options.frames)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with subprocess.Popen(
            [ALP, "--home", folder, "serve", "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "ALP_REQUESTS_PER_SECOND": "1e9", "ALP_BURST": "1e9"},
        ) as server:
            assert server.stdout is not None
            said = ""
            for line in server.stdout:
                said += line
                if line.startswith("serving "):
                    break
            key = re.findall(r"alp_[0-9a-f]{12}_\S+", said)[0]
            url = f"http://127.0.0.1:{port}"
            while True:
                try:
                    httpx.get(f"{url}/health")
                    break
                except httpx.ConnectError:
                    time.sleep(0.1)
            try:
                sys.stdout.write(f"{options.frames:,} frames; memory at rest {memory_mib(server.pid):.0f} MiB\n")
                sys.stdout.write("| request | clients | p50 ms | p99 ms | answers/s |\n|---|---|---|---|---|\n")
                for clients in options.clients:
                    for name, _, p50, p99, rate in asyncio.run(
                        measure(url, key, clients=clients, seconds=options.seconds)
                    ):
                        sys.stdout.write(f"| {name} | {clients} | {p50:.1f} | {p99:.1f} | {rate:.0f} |\n")
                        sys.stdout.flush()
                sys.stdout.write(f"memory afterwards {memory_mib(server.pid):.0f} MiB\n")
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
