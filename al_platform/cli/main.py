"""The entry point of `alp`: how a command ends."""

import sys

from al_platform.cli.interrupts import leaving_at_once
from al_platform.errors import PlatformError


def main() -> None:
    """Run a command. Errors that are expected print one line and exit with 2; Ctrl-C exits with 130."""
    with leaving_at_once():
        try:
            from al_platform.cli.app import app  # takes a second, in which Ctrl-C is answered already

            app()
        except PlatformError as error:
            sys.stderr.write(f"alp: {' '.join(str(error).split())}\n")
            sys.exit(2)


if __name__ == "__main__":
    main()
