"""A wrong setting: the error that names it, and how a process ends for it."""

import sys
from typing import NoReturn

EX_CONFIG = 78
"""What sysexits.h calls a configuration error."""


class BadSetting(ValueError):
    """A variable of the environment does not have the form that is expected."""


def stop_for(reason: str) -> NoReturn:
    """End the process for a wrong configuration, as service managers expect it."""
    print(f"recount: {reason}", file=sys.stderr)
    raise SystemExit(EX_CONFIG)
