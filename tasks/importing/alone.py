"""One import at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

# Keys of two integers are a space of their own, beside those that `lock_key` computes.
KEY = "hashtext('recount'), hashtext('import')"


@contextmanager
def alone(
    connection: psycopg.Connection[Any], *, tell: Callable[[str], None]
) -> Iterator[None]:
    """
    Hold the session's lock on importing; where another has it, *tell* so and wait.

    An import that was killed holds it until PostgreSQL is through with its last append:
    what the next one then finds in the log is all that there will be of it. Left by an
    exception the connection must be thrown away, and the lock goes with it.
    """
    row = connection.execute(f"SELECT pg_try_advisory_lock({KEY})").fetchone()
    if row != (True,):
        tell("another import is at work; waiting for its end")
        connection.execute(f"SELECT pg_advisory_lock({KEY})")
    yield
    connection.execute(f"SELECT pg_advisory_unlock({KEY})")
