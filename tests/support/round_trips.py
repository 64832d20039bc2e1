"""How often somebody asks PostgreSQL and waits, as libpq traces it."""

import tempfile
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import psycopg

CLIENT, SERVER = "F\t", "B\t"


def count_round_trips(
    connection: psycopg.Connection[Any], work: Callable[[], object]
) -> int:
    """Do *work* over *connection*; return how often what was sent was waited for."""
    with tempfile.TemporaryFile("w+") as file:
        connection.pgconn.trace(file.fileno())
        connection.pgconn.set_trace_flags(psycopg.pq.Trace.SUPPRESS_TIMESTAMPS)
        try:
            work()
        finally:
            connection.pgconn.untrace()
        file.seek(0)
        ends = [line.split(maxsplit=1)[0] for line in file if line.strip()]
    return sum(one == CLIENT and other != CLIENT for one, other in pairwise(ends))
