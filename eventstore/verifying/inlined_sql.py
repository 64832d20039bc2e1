"""
The engine's functions as our own files have them, written into a query.

A login that may change the log may also replace its functions, by one that says what
was sealed whatever there is. So nothing that is verified is asked of those in the
database.
"""

import re
from functools import cache

from eventstore.sql import source


def imprint(after: str, up_to: str, most: str) -> str:
    """Return a table of one row: count, last_id and imprint of a stretch."""
    body = inline("imprint", after=after, up_to=up_to, most=most)
    return f"LATERAL ({body}) AS i (count, last_id, imprint)"


def imprint_of_one(event: str) -> str:
    """Return the same of one event; of the lowest id of all, nothing is before it."""
    lowest = -(2**63) + 1
    return imprint(f"greatest({event}.id, {lowest}) - 1", f"{event}.id", "1")


def seal_hash(seal: str) -> str:
    """Return the hash that a row of `seals` should have."""
    columns = ("number", "after", "up_to", "count", "previous", "sealed_at", "imprint")
    return f"({inline('seal_hash', **{name: f'{seal}.{name}' for name in columns})})"


def last_drawn() -> str:
    # Of one that has drawn nothing there is none; `last_drawn` has more statements than
    # one since a floor needs to know that from a draw that is under way.
    return "coalesce(pg_sequence_last_value('public.events_id_seq'), 0)"


@cache
def inline(function: str, **arguments: str) -> str:
    """Return the body of a function of one statement, with *arguments* put into it."""
    _, body, _ = source(function).split("$$")
    return re.sub(
        rf"\b{function}\.(\w+)\b", lambda found: arguments[found[1]], body.strip()
    )
