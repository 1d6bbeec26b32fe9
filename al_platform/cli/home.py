"""From the global options to an open platform."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from al_platform.cli.progress import progress_shown
from al_platform.cli.remote import remote_of
from al_platform.errors import InvalidInput
from al_platform.platform.home import Platform, open_platform
from al_platform.settings import read_settings

HOME_KEY = "home"


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
