"""How long ago: `90d`, `12h`, `30m`, `45s`."""

import re
from datetime import timedelta
from typing import Any

import click

UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}

LONGEST = timedelta(days=36_525)
"""Times that far back are in the calendar; what is farther is a slip."""


class Duration(click.ParamType[timedelta]):
    """A whole number of days, hours, minutes or seconds."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([0-9]{1,9})([dhms])", value)
        if found is None:
            self.fail(f"{value!r} is no duration: 90d, 12h, 30m or 45s", param, ctx)
        duration = timedelta(**{UNITS[found[2]]: int(found[1])})
        if duration > LONGEST:
            self.fail(f"{value!r} is more than a hundred years", param, ctx)
        return duration


DURATION = Duration()
