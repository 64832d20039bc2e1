"""Who fills copies: one session of a shop at a time, in the order of the wishes."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import CopyDropped
from eventstore.log.read import settled
from eventstore.past.dropping import drop_tables, evict, sweep
from eventstore.past.filling import fill_copy
from eventstore.past.filling_notes import Progress
from eventstore.past.registry import COLUMNS, PastCopy, find_copies
from eventstore.past.wishes import versions_of
from eventstore.projections.projection import Projection

TURN = "hashtext('recount'), hashtext('past')"
MAX_TRIES = 3
"""How often a filling is begun that ends its process."""


class Bounds(NamedTuple):
    """How many copies are kept, and how many bytes they have together."""

    copies: int = 50
    bytes: int = 2 * 1024**3


class Filler:
    """
    Fills copies of *projections* over *connection*, which is in autocommit.

    *masters* open personal fields. Beyond the *bounds* those used longest ago are
    dropped.
    """

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        projections: Sequence[Projection],
        masters: MasterKeys | None,
        bounds: Bounds,
    ) -> None:
        self.connection = connection
        self.projections = {projection.name: projection for projection in projections}
        self.versions = versions_of(projections)
        self.masters = masters
        self.bounds = bounds

    def take_turn(self) -> bool:
        """
        Become the one who fills; return False if another session does.

        What one left that has died is dropped, and is wanted once more.
        """
        row = self.connection.execute(f"SELECT pg_try_advisory_lock({TURN})").fetchone()
        if row != (True,):
            return False
        for copy in find_copies(self.connection):
            if copy.state == "filling":
                self.begin_again(copy)
        sweep(self.connection, list(self.projections.values()))
        return True

    def end_turn(self) -> None:
        self.connection.execute(f"SELECT pg_advisory_unlock({TURN})")

    def begin_again(self, copy: PastCopy) -> None:
        with self.connection.transaction():
            self.connection.execute(
                """
                UPDATE public.past_copies SET
                    state = CASE WHEN tries < %s THEN 'wanted' ELSE 'failed' END,
                    error = 'its filling ended the process each time',
                    made_at = clock_timestamp(), done = 0
                WHERE number = %s AND state = 'filling'
                """,
                (MAX_TRIES, copy.number),
            )
            drop_tables(self.connection, copy.read_model, copy.number)

    def fill_next(
        self,
        show: Callable[[PastCopy, Progress], None] = lambda *_: None,
        *,
        number: int | None = None,
    ) -> PastCopy | None:
        """
        Fill the copy that was wanted first, or the one with *number*.

        Returns the copy as it is now; None if there was nothing to fill, or if it was
        dropped meanwhile. Raises what the filling raises.
        """
        if self.is_somebody_being_forgotten():
            # What is filled now would be refused at its end.
            return None
        copy = self.take_wish(number)
        if copy is None:
            return None
        projection = self.projections[copy.read_model]
        try:
            fill_copy(
                self.connection,
                projection,
                copy,
                masters=self.masters,
                show=lambda progress: show(copy, progress),
            )
        except CopyDropped:
            return None
        evict(
            self.connection,
            most=self.bounds.copies,
            max_bytes=self.bounds.bytes,
            but=copy.number,
        )
        found = find_copies(self.connection, numbers=[copy.number])
        return found[0] if found else None

    def is_somebody_being_forgotten(self) -> bool:
        """Return whether an event that forgets is in the log, and not settled yet."""
        types = {t for p in self.projections.values() for t in p.types_that_forget}
        row = self.connection.execute(
            """
            SELECT EXISTS (
                SELECT FROM public.events
                WHERE id > %s AND type = ANY (%s)
            )
            """,
            (settled(self.connection), sorted(types)),
        ).fetchone()
        return row == (True,)

    def take_wish(self, number: int | None) -> PastCopy | None:
        """Take the wish that is the oldest of this code's, None if there is none."""
        row = self.connection.execute(
            f"""
            UPDATE public.past_copies
            SET state = 'filling', begun_at = clock_timestamp(), tries = tries + 1,
                error = NULL
            WHERE number = (
                SELECT number FROM public.past_copies
                WHERE state = 'wanted'
                    AND (%(number)s::bigint IS NULL OR number = %(number)s)
                    -- The filler of another program makes those of its code.
                    AND concat_ws(' ', read_model, shape, fold_version)
                        = ANY (%(versions)s)
                ORDER BY number LIMIT 1
            ) AND state = 'wanted'
            RETURNING {COLUMNS}
            """,
            {"number": number, "versions": self.versions},
        ).fetchone()
        return None if row is None else PastCopy(*row)
