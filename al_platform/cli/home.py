"""From the global options to an open platform."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import typer

from al_platform.cli.progress import progress_shown
from al_platform.cli.remote import remote_of
from al_platform.domain.access import Actor, Scope
from al_platform.errors import InvalidInput, MissingExtra
from al_platform.platform.home import Platform, open_platform
from al_platform.settings import read_settings

if TYPE_CHECKING:
    from al_platform.platform.service import Service

HOME_KEY = "home"

HERE = Actor("command line", Scope.ADMIN)
"""Who the log names for changes on a home that no service holds."""


@contextmanager
def platform_of(context: typer.Context) -> Iterator[Platform]:
    """Open the home that `--home` names, with progress on the screen.

    Raises: InvalidInput where a server is named, which this command does not know.
    """
    if remote_of(context) is not None:
        raise InvalidInput(f"{context.command.name}: works on a home alone; leave out --server (and ALP_SERVER)")
    settings = read_settings(context.obj[HOME_KEY])
    with progress_shown() as report, open_platform(settings, report=report) as platform:
        yield platform


@contextmanager
def idle_service_of(context: typer.Context) -> "Iterator[Service]":
    """Open the home as a service would, but run nothing.

    Raises: MissingExtra where the service's libraries are not installed; InvalidInput as `platform_of`.
    """
    if find_spec("argon2") is None:
        raise MissingExtra("argon2: not installed; pip install 'al-platform[service]'")
    from al_platform.platform.service import idle_service

    with platform_of(context) as platform:
        yield idle_service(platform)
