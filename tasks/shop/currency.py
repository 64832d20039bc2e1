"""The currency of the log's amounts, which is independent of the setting."""

from typing import Any

import psycopg

OF_MONEY = ("order-", "product-", "account-", "transfer-")
"""
Categories whose streams begin with an event that names a currency.

The exception is a transfer to an account that was not opened, by a mistyped id.
"""


def currency_of(connection: psycopg.Connection[Any]) -> str | None:
    """
    Return the currency of the log, or None if it has no amounts yet.

    A shop has one currency, so the first stream of a category is enough: one look-up by
    index for each category.
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
