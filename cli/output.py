"""The progress of a command: a bar on a terminal, otherwise lines."""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import click
import msgspec

from eventstore.log.events import RecordedEvent
from tasks.shop.printable import printable


@contextmanager
def progress(label: str, length: int) -> Iterator[Callable[[int], None]]:
    """Lend a function to call with how many more of *length* are done."""
    if sys.stdout.isatty():
        with click.progressbar(length=length, label=label, show_pos=True) as bar:
            yield bar.update
    else:
        yield Lines(label, length).add


class Lines:
    """Progress as a line at each quarter, since a log should have few."""

    def __init__(self, label: str, length: int) -> None:
        self.label = label
        self.length = length
        self.done = 0

    def add(self, count: int) -> None:
        before = 4 * self.done // max(self.length, 1)
        self.done += count
        if 4 * self.done // max(self.length, 1) > before:
            click.echo(f"{self.label}: {self.done:,} of {self.length:,}")


UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}

MAX_DURATION = timedelta(days=36_525)
"""100 years: within the calendar; a longer time is most likely mistyped."""


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
        if duration > MAX_DURATION:
            self.fail(f"{value!r} is more than a hundred years", param, ctx)
        return duration


DURATION = Duration()


def json_of(value: Any) -> str:
    return printable(msgspec.json.encode(value).decode())


def event_as_json(event: RecordedEvent) -> dict[str, Any]:
    """Return all that is known of an event; its data as they were read or opened."""
    return {
        "position": event.position,
        "stream_id": event.stream_id,
        "version": event.version,
        "type": event.type,
        "occurred_at": event.occurred_at,
        "data": msgspec.Raw(event.data.encode()),
        "metadata": msgspec.Raw(event.metadata.encode()),
    }


def error_as_json(error: Exception | None) -> dict[str, str] | None:
    if error is None:
        return None
    return {"type": type(error).__name__, "message": str(error)}
