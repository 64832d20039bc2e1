"""A wrong setting: the error that names it, and the exit of the process."""

import sys
from typing import NoReturn

EX_CONFIG = 78
"""The exit status of a configuration error in sysexits.h."""


class BadSetting(ValueError):
    """A variable of the environment does not have the expected form."""


def stop_for(reason: str) -> NoReturn:
    """End the process with the exit status of a wrong configuration."""
    print(f"recount: {reason}", file=sys.stderr)
    raise SystemExit(EX_CONFIG)
