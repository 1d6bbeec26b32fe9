"""`python -m api`, which `alp serve` becomes: opens a home and serves it until it is told to stop."""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvicorn

from al_platform.errors import CatalogLocked, PlatformError
from al_platform.platform.home import Platform, open_platform
from al_platform.platform.service import running_service
from al_platform.platform.upkeep import forget_old_jobs
from al_platform.settings import ServiceSettings, Settings, read_service_settings, read_settings
from api import log
from api.app import create_app
from api.dashboard.pages import BASE

_DEV = """
*** AUTHENTICATION IS OFF (--dev): every program on this machine may do everything here. ***
"""
_FIRST = """
First start: this is the admin key. It is shown this once; keep it.

    {key}

"""
_GRACE_S = 10
_LOOK_EVERY_S = 0.5
_IDLE_S = 60
"""A busy client must not find its connection closed just as it asks."""


def main() -> None:
    """Serve. What is wrong with home or options is one line and exit code 2."""
    options = _options()
    try:
        settings = read_service_settings(host=options.host, port=options.port, dev=options.dev)
        home = read_settings(options.home)
        with _opened(home, standby=options.standby) as platform:
            _serve(platform, settings)
    except PlatformError as error:
        sys.stderr.write(f"alp: {' '.join(str(error).split())}\n")
        sys.exit(2)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="alp serve")
    parser.add_argument("--home", type=Path, default=None)
    parser.add_argument("--host", default=ServiceSettings.host)
    parser.add_argument("--port", type=int, default=ServiceSettings.port)
    parser.add_argument("--dev", action="store_true")
    parser.add_argument("--standby", action="store_true")
    return parser.parse_args()


@contextmanager
def _opened(home: Settings, *, standby: bool) -> Iterator[Platform]:
    """Open a home; in standby, as soon as nobody else holds it. The lock of its catalog is the fence: it goes with
    the process that holds it, however that ends.
    """
    waiting = False
    while True:
        with ExitStack() as stack:
            try:
                platform = stack.enter_context(open_platform(home, compute=home.compute))
            except CatalogLocked:
                if not standby:
                    raise
            else:
                yield platform
                return
        if not waiting:
            sys.stdout.write(f"standing by for {home.home}\n")
            sys.stdout.flush()
            waiting = True
        time.sleep(_LOOK_EVERY_S)


def _serve(platform: Platform, settings: ServiceSettings) -> None:
    log.configure()
    forget_old_jobs(platform.settings)
    with running_service(platform) as service:
        service.runner.prepare()
        app = create_app(service, settings)
        first = None if settings.dev else service.keys.make_first()
        sys.stdout.write(_DEV if settings.dev else _FIRST.format(key=first) if first else "")
        url = f"http://{settings.host}:{settings.port}"
        sys.stdout.write(f"pages at {url}{BASE}/\nserving {platform.settings.home} at {url}\n")
        sys.stdout.flush()
        uvicorn.run(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=_IDLE_S,
            timeout_graceful_shutdown=_GRACE_S,
        )


if __name__ == "__main__":
    main()
