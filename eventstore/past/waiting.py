"""Who waits for a copy still: wishes are kept alive by asking, and given up without."""

from typing import Any

import psycopg

from eventstore.past.registry import SECONDS_BETWEEN_NOTES, PastCopy


def note_waiting(connection: psycopg.Connection[Any], wish: PastCopy) -> None:
    """Note that somebody waits still for a copy that is not made."""
    connection.execute(
        """
        UPDATE public.past_copies SET used_at = clock_timestamp()
        WHERE number = %s AND state = 'wanted'
            AND used_at < clock_timestamp() - make_interval(secs => %s)
        """,
        (wish.number, SECONDS_BETWEEN_NOTES),
    )


def drop_left_wishes(connection: psycopg.Connection[Any], seconds: float) -> None:
    """Give up the copies that nobody has asked for since *seconds*, and none fills."""
    # The web may delete no row: who fills copies does.
    connection.execute(
        """
        UPDATE public.past_copies SET state = 'dropped' WHERE state = 'wanted'
            AND used_at < clock_timestamp() - make_interval(secs => %s)
        """,
        (seconds,),
    )
