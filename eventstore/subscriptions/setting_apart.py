"""
Setting a subscription apart, so that one that fails does not stop the others.

It is read alone, after a second, then after two, four, up to a minute. Several workers
take turns, so what they know of it is in its row.
"""

from collections.abc import Collection

import psycopg

MAX_SECONDS_BETWEEN_TRIES = 60


def set_apart(connection: psycopg.Connection, name: str) -> None:
    """Put off the next try of a subscription whose error is noted in its row."""
    connection.execute(
        """
        UPDATE public.subscriptions
        SET tries = tries + 1,
            next_try_at = clock_timestamp() + interval '1 s'
                * least(%(longest)s, power(2, least(tries, 10)))
        WHERE name = %(name)s AND error IS NOT NULL
        """,
        {"name": name, "longest": MAX_SECONDS_BETWEEN_TRIES},
    )


IS_PUT_OFF = """
    -- A clock that was set back since does not put it off for hours.
    (next_try_at BETWEEN clock_timestamp()
        AND clock_timestamp() + interval '1 s' * %(longest)s) IS TRUE
"""


def find_next_tries(connection: psycopg.Connection, names: Collection[str]) -> set[str]:
    """Return which of the subscriptions *names* are set apart and tried again now."""
    return find_names(
        connection, names, f"next_try_at IS NOT NULL AND NOT {IS_PUT_OFF}"
    )


def find_not_put_off(
    connection: psycopg.Connection, names: Collection[str]
) -> set[str]:
    """Return which of the subscriptions *names* may be read now."""
    return find_names(connection, names, f"NOT {IS_PUT_OFF}")


def find_names(
    connection: psycopg.Connection, names: Collection[str], condition: str
) -> set[str]:
    rows = connection.execute(
        f"SELECT name FROM public.subscriptions WHERE name = ANY (%(names)s)"
        f" AND {condition}",
        {"names": list(names), "longest": MAX_SECONDS_BETWEEN_TRIES},
    )
    return {name for (name,) in rows}
