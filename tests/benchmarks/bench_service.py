"""The service with a large pool and many clients: latency, throughput, memory. One table.

The clients run on the same cores as the server, so that its own share is larger than what is measured. Beside the
generated frames, which have no pictures, a small fleet is ingested and a round of it run. The generated frames are
given random embeddings, so that what is similar is looked for among all of them; one client alone asks for that. What
is submitted names a pool without frames, so that the rounds end where they are frozen and the figures are those of
taking requests.
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
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import httpx
import numpy as np

from al_platform.catalog.frames import frames_matching
from al_platform.catalog.models import encoder_blob, ensemble_named
from al_platform.catalog.rounds import all_rounds
from al_platform.domain.rounds import Budget, RoundSpec, StrategySpec
from al_platform.platform.data import add_frames_in_bulk, ingest_dataset
from al_platform.platform.home import open_platform
from al_platform.platform.rounds import loop_context, prepare_round, run_one_round
from al_platform.training.embedding import EmbeddingModel, open_embedder
from tests.fleet import MODEL, OPTIONS, POOL, START, TARGETS, frames_of, settings_of

ALP = shutil.which("alp", path=str(Path(sys.executable).parent)) or "alp"

ALONE = "20 similar of all frames"
"""Too heavy for many clients at once."""

_FRAMES = """
SELECT 'frm_' || md5(i::VARCHAR)[:24] AS frame_id, 'fleet' AS dataset,
    'fleet/drive_' || lpad((i // 200)::VARCHAR, 6, '0') AS session_id, (i % 200)::BIGINT AS frame_number,
    (i % 200) / 5::DOUBLE AS timestamp_s, 1920 AS width, 1080 AS height, (hash(i) % 256)::FLOAT AS brightness,
    md5(i::VARCHAR) AS image_hash, 100000 AS image_size,
    '{"split":"' || CASE WHEN (i // 200) % 4 = 0 THEN 'test' ELSE 'pool' END || '","weather":"'
    || ['clear', 'rain', 'overcast', 'fog'][1 + (i // 800) % 4] || '"}' AS tags
FROM range(?) AS made(i)
"""


def generate(home: Path, frames: int) -> None:
    """Fill a catalog with frames of drives of 200 by bulk ingest."""
    with duckdb.connect() as connection:
        rows = connection.execute(_FRAMES, [frames]).to_arrow_table()
    with open_platform(settings_of(home)) as platform:
        add_frames_in_bulk(platform, rows)


def run_a_round(home: Path) -> str:
    """Ingest a small fleet, run a round of it, and give one of its frames."""
    with open_platform(settings_of(home)) as platform:
        ingest_dataset(platform, "synthetic", None, OPTIONS)
        pool = f"dataset=synthetic,{POOL}"
        wanted = RoundSpec(MODEL, "", "", TARGETS, Budget(6), StrategySpec("random"))
        run_one_round(platform, prepare_round(platform, wanted, pool=pool, test="", start=START))
        return frames_of(platform, pool)[0]


def embed_at_random(home: Path) -> None:
    """Put an embedding of every generated frame where that of the newest round's encoder would lie."""
    with open_platform(settings_of(home)) as platform:
        place = loop_context(platform).place
        with platform.catalog.transaction() as tx:
            ensemble = ensemble_named(tx, all_rounds(tx)[-1].ensemble_id or "")
            encoder = encoder_blob(tx, ensemble.encoder_id) or ""
            images = frames_matching(tx, "dataset=fleet")["image_hash"].to_pylist()
        model = EmbeddingModel(ensemble.spec, ensemble.ensemble_id, ensemble.weights_hash, encoder)
        cache = open_embedder(place, model).cache
        width = cache.take([]).shape[1]
        cache.add(images, np.random.default_rng(0).standard_normal((len(images), width), np.float32))


def requests(
    cursor: str, frame: str, example: str
) -> dict[str, Callable[[httpx.AsyncClient], "asyncio.Future[httpx.Response]"]]:
    """Name to request."""

    def get(path: str, **params: str | int) -> Callable[..., "asyncio.Future[httpx.Response]"]:
        return lambda client: client.get(path, params=params)  # type: ignore[return-value]

    def post(path: str, body: Callable[[], dict[str, Any]]) -> Callable[..., "asyncio.Future[httpx.Response]"]:
        return lambda client: client.post(  # type: ignore[return-value]
            path, json=body(), headers={"Idempotency-Key": uuid.uuid4().hex}
        )

    alike = {"like": [example], "filter": "dataset=synthetic", "count": 20}
    all_alike = {"like": [frame], "filter": "dataset=fleet", "count": 20}
    wanted = {"pool": "session_id=nowhere", "targets": ["person"], "annotator": "offline"}
    return {
        "health": get("/health"),
        "one frame": get(f"/v1/frames/{frame}"),
        "first page of 50": get("/v1/frames"),
        "page of 50 from the middle": get("/v1/frames", cursor=cursor),
        "filter brightness>=200": get("/v1/frames", filter="brightness>=200"),
        "filter weather=rain (tag)": get("/v1/frames", filter="weather=rain"),
        "count brightness>=200": get("/v1/frames/count", filter="brightness>=200"),
        "sessions, page of 50": get("/v1/sessions"),
        "submit a round": post("/v1/rounds", lambda: wanted),
        "20 similar of 80 frames": post("/v1/similar", lambda: alike),
        ALONE: post("/v1/similar", lambda: all_alike),
    }


async def measure(url: str, key: str, example: str, *, clients: int, seconds: float) -> None:
    """Print a row for each request, with all clients asking without a pause."""
    limits = httpx.Limits(max_connections=clients)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=120.0) as client:
        session = "fleet/drive_000050"
        found = await client.get("/v1/frames", params={"filter": f"session_id={session}", "limit": 50})
        assert found.is_success, found.text
        middle = found.json()
        for name, ask in requests(middle["next_cursor"], middle["items"][0]["frame_id"], example).items():
            if name == ALONE and clients > 1:
                continue
            (await ask(client)).raise_for_status()  # what is made once, as a compiled encoder, is nobody's latency
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
            rate = len(took) / (time.perf_counter() - began)
            sys.stdout.write(f"| {name} | {clients} | {p50:.1f} | {p99:.1f} | {rate:.1f} |\n")
            sys.stdout.flush()


def memory_mib(pid: int, what: str = "VmRSS") -> float:
    """Resident memory of a process, now or (VmHWM) at its peak."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
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
        example = run_a_round(home)
        embed_at_random(home)
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
                    asyncio.run(measure(url, key, example, clients=clients, seconds=options.seconds))
                peak = memory_mib(server.pid, "VmHWM")
                sys.stdout.write(f"memory afterwards {memory_mib(server.pid):.0f} MiB, at its peak {peak:.0f} MiB\n")
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
