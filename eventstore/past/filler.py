"""Who fills copies: one session of a shop at a time, in the order of the wishes."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import CopyDropped, NoFoldVersion
from eventstore.past.dropping import drop_copies, drop_tables, evict, sweep
from eventstore.past.filling import Progress, fill_copy
from eventstore.past.registry import COLUMNS, PastCopy, find_copies, version_of
from eventstore.projections.projection import Projection

TURN = "hashtext('recount'), hashtext('past')"
MAX_TRIES = 3
"""How often a filling is begun that ends its process."""


class Bounds(NamedTuple):
    """How many copies are kept, and how many bytes they have together."""

    copies: int = 50
    bytes: int = 2 * 1024**3


def is_made_by(copy: PastCopy, projection: Projection) -> bool:
    """Return whether this process folds by the code that a copy is wanted of."""
    try:
        return version_of(projection) == (copy.shape, copy.fold_version)
    except NoFoldVersion:
        return False


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
        copy = self.take_wish(number)
        if copy is None:
            return None
        projection = self.projections.get(copy.read_model)
        if projection is None or not is_made_by(copy, projection):
            # Of a program with other read models, or with other code: its filler makes
            # it when somebody asks again.
            drop_copies(self.connection, [copy.number])
            return None
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
            most_bytes=self.bounds.bytes,
            but=copy.number,
        )
        found = find_copies(self.connection, numbers=[copy.number])
        return found[0] if found else None

    def take_wish(self, number: int | None) -> PastCopy | None:
        row = self.connection.execute(
            f"""
            UPDATE public.past_copies
            SET state = 'filling', begun_at = clock_timestamp(), tries = tries + 1,
                error = NULL
            WHERE number = (
                SELECT number FROM public.past_copies
                WHERE state = 'wanted'
                    AND (%(number)s::bigint IS NULL OR number = %(number)s)
                ORDER BY number LIMIT 1
            ) AND state = 'wanted'
            RETURNING {COLUMNS}
            """,
            {"number": number},
        ).fetchone()
        return None if row is None else PastCopy(*row)
