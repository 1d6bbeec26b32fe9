"""The entry point of `alp`: how a command ends."""

import sys

from al_platform.cli.interrupts import INTERRUPTED, SAID, leaving_at_once
from al_platform.errors import PlatformError


def main() -> None:
    """Run a command. Errors that are expected print one line and exit with 2; Ctrl-C exits with 130."""
    try:
        with leaving_at_once():
            _run()
    except PlatformError as error:
        sys.stderr.write(f"alp: {' '.join(str(error).split())}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.stderr.write(SAID)
        sys.exit(INTERRUPTED)


def _run() -> None:
    try:
        from al_platform.cli.app import app  # takes a second, in which Ctrl-C is answered already

        app()
    except SystemExit as ended:
        if ended.code != INTERRUPTED:
            raise
        raise KeyboardInterrupt from ended
    except RuntimeError as error:
        if str(error) != "Query interrupted":  # so DuckDB says that it was Ctrl-C
            raise
        raise KeyboardInterrupt from error
