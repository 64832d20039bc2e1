"""How long ago: `90d`, `12h`, `30m`, `45s`."""

import re
from datetime import timedelta
from typing import Any

import click

UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


class Duration(click.ParamType[timedelta]):
    """A whole number of days, hours, minutes or seconds."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([0-9]{1,6})([dhms])", value)
        if found is None:
            self.fail(f"{value!r} is no duration: 90d, 12h, 30m or 45s", param, ctx)
        return timedelta(**{UNITS[found[2]]: int(found[1])})


DURATION = Duration()
