"""
The position that a query must have: of its address, or of this browser's commands.

So those who have sent a command see its effect in the next answer.
"""

import time
from typing import Any, NamedTuple

import psycopg
from flask import request, session

from eventstore.log.read import last_drawn
from webapp import query_parameters

MAX_SECONDS_TO_WAIT = 1.5
"""Seconds that a query waits at most."""
FRESH = 10.0
"""Seconds after a browser's command in which its pages wait for the position."""
REMEMBERED = 600.0
"""Seconds after it in which a page says that it does not show the command yet."""
MAX_POSITION = 2**63 - 1


class ReadRequest(NamedTuple):
    """The requested position, and the seconds to wait for it at most."""

    position: int
    seconds: float


def position_asked() -> ReadRequest:
    """Return the requested position, or that of this browser's commands, if higher."""
    named = 0
    if is_asked_to_show():
        named = (
            query_parameters.number("min_position", lowest=0, highest=MAX_POSITION) or 0
        )
    done, age = remembered_position()
    if named >= done:
        return ReadRequest(named, MAX_SECONDS_TO_WAIT)
    return ReadRequest(done, MAX_SECONDS_TO_WAIT if named or age < FRESH else 0)


def is_asked_to_show() -> bool:
    """Return whether the request is for a page, and not a posted form shown again."""
    return request.method in ("GET", "HEAD")


def forget_other_logs(connection: psycopg.Connection[Any]) -> None:
    """Forget a position beyond the end of the log: a backup was restored."""
    if remembered_position()[0] and remembered_position()[0] > last_drawn(connection):
        session.pop("done")


def remember(position: int | None) -> None:
    """Have this browser's next pages wait for *position*."""
    if position is not None and position > remembered_position()[0]:
        session["done"] = [position, time.time()]


def remembered_position() -> tuple[int, float]:
    """Return the position of this browser's commands, and its age in seconds."""
    # A program's cookies are ignored: it sends min_position.
    if request.path.startswith("/api/") or "done" not in session:
        return 0, 0
    position, moment = session["done"]
    # A time in the future, from before a clock was set back, counts as the same age in
    # the past.
    age = abs(time.time() - moment)
    return (position, age) if age < REMEMBERED else (0, 0)
