"""What a filling notes in the registry; each note finds out whether it was dropped."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from eventstore.errors import CopyDropped
from eventstore.errors.text import error_text
from eventstore.projections.table import SCHEMA, Table
from eventstore.projections.tables import Tables

MAX_TEXT = 300
"""Characters of an error that are noted."""


class Progress(NamedTuple):
    """How many positions of the log are read, of how many."""

    done: int
    goal: int


class FillingNotes:
    """The notes of one filling, of the copy called *number*."""

    def __init__(self, connection: psycopg.Connection[Any], number: int) -> None:
        self.connection = connection
        self.number = number

    def note_progress(self, done: int, goal: int) -> None:
        """Note that *done* of *goal* positions are read. Raises CopyDropped."""
        noted = self.connection.execute(
            """
            UPDATE public.past_copies SET done = %s, goal = %s
            WHERE number = %s AND state = 'filling'
            """,
            (done, goal, self.number),
        )
        if not noted.rowcount:
            raise CopyDropped(self.number)

    def note_ready(
        self,
        rows: Table,
        *,
        up_to: int,
        greatest: int,
        has_ended: bool,
        next_at: datetime | None,
        left_out: int,
        forgotten_up_to: int,
        forgets: Collection[str],
    ) -> None:
        """
        Let the copy answer; the values are as in `PastCopy`.

        Raises CopyDropped, also if an event of the types *forgets* has come since the
        position *forgotten_up_to*.
        """
        count = sql.SQL("(SELECT count(*) FROM {})").format(rows.identifier)
        noted = self.connection.execute(
            sql.SQL(
                """
                UPDATE public.past_copies SET
                    state = 'ready', up_to = %(up_to)s, until = at, looked = %(up_to)s,
                    greatest = %(greatest)s,
                    event_id = public.event_id_at(%(greatest)s),
                    has_ended = %(has_ended)s, next_at = %(next_at)s,
                    done = goal, rows = {count}, left_out = %(left_out)s,
                    forgotten_up_to = %(forgotten_up_to)s,
                    made_at = clock_timestamp(), used_at = clock_timestamp()
                WHERE number = %(number)s AND state = 'filling' AND NOT EXISTS (
                    SELECT FROM public.events
                    WHERE id > %(forgotten_up_to)s AND type = ANY (%(forgets)s)
                )
                """
            ).format(count=count),
            {
                "up_to": up_to,
                "greatest": greatest,
                "has_ended": has_ended,
                "next_at": next_at,
                "left_out": left_out,
                "forgotten_up_to": forgotten_up_to,
                "forgets": list(forgets),
                "number": self.number,
            },
        )
        if not noted.rowcount:
            raise CopyDropped(self.number)

    def note_size(self, tables: Tables) -> None:
        """Note how many bytes its tables have, with their indexes."""
        self.connection.execute(
            """
            UPDATE public.past_copies SET bytes = (
                SELECT sum(pg_total_relation_size(
                    to_regclass(format('%%I.%%I', %s::text, name))
                ))
                FROM unnest(%s::text[]) AS t (name)
            )
            WHERE number = %s
            """,
            (SCHEMA, [table.name for table in tables.all], self.number),
        )

    def note_end(self, error: BaseException) -> bool:
        """
        Note why it was not made; return False if it was dropped.

        A process that is asked to end leaves it to the next one, and so is left what
        somebody was forgotten from meanwhile.
        """
        is_ended = isinstance(error, CopyDropped) or not isinstance(error, Exception)
        noted = self.connection.execute(
            """
            UPDATE public.past_copies SET
                state = %s, error = %s, made_at = clock_timestamp(),
                tries = tries - %s, done = 0
            WHERE number = %s AND state = 'filling'
            """,
            (
                "wanted" if is_ended else "failed",
                f"{type(error).__name__}: {error_text(error)}"[:MAX_TEXT],
                int(is_ended),
                self.number,
            ),
        )
        return noted.rowcount == 1
