"""`alp serve`."""

import os
import sys
from importlib.util import find_spec
from typing import Annotated

import typer

from al_platform.cli.home import HOME_KEY
from al_platform.errors import MissingExtra
from al_platform.settings import ServiceSettings, read_service_settings, read_settings

_NEEDED = ("fastapi", "uvicorn", "argon2", "jwt", "structlog", "prometheus_client", "dbos")


def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on")] = ServiceSettings.host,
    port: Annotated[int, typer.Option(help="Port to listen on")] = ServiceSettings.port,
    dev: Annotated[bool, typer.Option("--dev", help="Ask nobody for a key; on loopback only")] = False,
    standby: Annotated[
        bool, typer.Option("--standby", help="Wait while another process holds the home, then take over")
    ] = False,
) -> None:
    """Serve the home over HTTP. The first start makes an admin key and shows it once."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtra(f"{', '.join(missing)}: not installed; pip install 'al-platform[service]'")
    read_service_settings(host=host, port=port, dev=dev)
    home = str(read_settings(context.obj[HOME_KEY]).home)
    command = [sys.executable, "-P", "-m", "api", "--home", home, "--host", host, "--port", str(port)]
    # the service lies above this room, so this process becomes it; -P: a folder `api` that happens to be here is not it
    os.execv(sys.executable, [*command, *["--dev"] * dev, *["--standby"] * standby])
