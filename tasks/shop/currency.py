"""The currency of the log: what its amounts are in, whatever a setting says today."""

from typing import Any

import psycopg

OF_MONEY = ("order-", "account-", "transfer-")
"""
Streams that begin with an event that names a currency.

But for an account that was mistyped before it was opened, and that takes a transfer.
"""


def currency_of(connection: psycopg.Connection[Any]) -> str | None:
    """
    Return the currency that the log is in, or None where it has no amounts yet.

    A shop has one, so the first stream of a kind stands for all: a look by the index
    of streams for each.
    """
    for prefix in OF_MONEY:
        row = connection.execute(
            """
            SELECT e.stream_id, e.data ->> 'currency' FROM public.events AS e
            WHERE e.stream_id >= %s ORDER BY e.stream_id, e.version LIMIT 1
            """,
            (prefix,),
        ).fetchone()
        # Where there is none, it is the first of a category behind.
        if row is not None and row[0].startswith(prefix) and row[1] is not None:
            return str(row[1])
    return None
