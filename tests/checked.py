"""Imported first by the scripts that tests run: shapes are checked there too.

So the programs are those of the tests, and what XLA compiled for one serves the other.
"""

import tomllib
from pathlib import Path

from jaxtyping import install_import_hook

_OPTION = "--jaxtyping-packages="
_SETTINGS = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
_OPTIONS = _SETTINGS["tool"]["pytest"]["ini_options"]["addopts"]
*_PACKAGES, _CHECKER = next(one for one in _OPTIONS if one.startswith(_OPTION)).removeprefix(_OPTION).split(",")

install_import_hook(_PACKAGES, _CHECKER)
