"""How often somebody asks PostgreSQL and waits, as libpq traces it."""

import tempfile
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import psycopg

ASKING = (("F", "Query"), ("F", "Sync"), ("F", "Flush"))
"""
What a client sends when it wants answers; of several in a row it waits once.

In a pipeline answers may come in while it still sends: it does not wait for those.
"""


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
        # F or B, who sent it, its length, and what it is.
        sent = [tuple(line.split()[:3:2]) for line in file if line.strip()]
    pairs = pairwise([(), *sent])
    return sum(two in ASKING and one not in ASKING for one, two in pairs)
