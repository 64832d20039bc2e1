"""Fill a generation, or a part of it, from the log; it can be killed at any time."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import CannotProject, RebuildFailed
from eventstore.errors.rebuilding import FillingBrokeOff
from eventstore.log.events import RecordedEvent
from eventstore.log.read import read_all
from eventstore.projections.folding import Folding
from eventstore.projections.kept_rows import KeptLookups, KeptRows
from eventstore.projections.parked_streams import find_positions
from eventstore.projections.parking import Parker
from eventstore.rebuilding.parts import Part
from eventstore.steps import send_all, take_steps
from eventstore.subscriptions.catch_up import catch_up
from eventstore.subscriptions.read_position import note_position
from eventstore.subscriptions.subscription import Subscription

BATCH = 5_000
"""Events a transaction: what a killed filling has to read once more."""
MAX_SECONDS_HELD = 10.0
"""So long the session of a process that was killed may still hold its checkpoint."""
LAG_TO_REST = 20
"""Positions that the live rows may be behind before a filling rests for them."""
MAX_REST = 1.0


class KeptFolding:
    """
    Folds batches into the rows of a part, and keeps these in memory between batches.

    Nobody else writes them. What is in memory is thrown away where it is not what the
    last transaction has written.
    """

    def __init__(self, part: Part, parker: Parker | None) -> None:
        self.part = part
        self.tables = part.tables()
        self.parker = parker
        self.last: int | None = None
        self.begin(has_all=True)

    def begin(self, *, has_all: bool) -> None:
        lookups = self.part.projection.lookups
        self.rows = KeptRows(self.tables.rows, has_all=has_all)
        self.lookups = KeptLookups(lookups, self.tables.lookups, has_all=has_all)

    def project(
        self, connection: psycopg.Connection[Any], events: Sequence[RecordedEvent]
    ) -> None:
        """
        Fold *events* in the transaction that moves the checkpoint.

        Raises CannotProject at the first event that fails; with a parker its stream is
        parked.
        """
        name = self.part.name
        row = connection.execute(
            """
            SELECT checkpoint,
                EXISTS (SELECT FROM public.parked_streams WHERE subscription = name)
            FROM public.subscriptions WHERE name = %s
            """,
            (name,),
        ).fetchone()
        assert row is not None
        checkpoint, has_parked = row
        if not self.is_as_written(connection, checkpoint):
            self.begin(has_all=checkpoint == 0)
        # Until this batch is done, what is in memory is of no use to another.
        self.last = None
        folding = Folding(
            self.part.projection,
            self.tables,
            find_positions(connection, name) if has_parked else None,
            () if self.parker is None else self.parker.refused.get(name, ()),
            rows=self.rows,
            lookups=self.lookups,
            owns=self.part.owns,
        )
        take_steps(connection, [folding.fold(events, {}, has_parked=False)])
        for failure in folding.failures:
            if self.parker is not None:
                # From the tables, as in catching up.
                self.parker.project(
                    self.part.projection, self.tables, connection, events
                )
                return
            raise CannotProject(failure.position, failure.error) from failure.error
        lookups, rows = list(self.lookups.pieces()), list(self.rows.pieces())
        last = events[-1].position
        send_all(connection, [note_position(last), *lookups, *rows])
        self.lookups.end_batch(lookups)
        self.rows.end_batch(rows)
        self.last = last

    def is_as_written(
        self, connection: psycopg.Connection[Any], checkpoint: int
    ) -> bool:
        """
        Return whether what is in memory is what the tables have at *checkpoint*.

        If it was moved on over events that are not folded here, another process has
        folded them: one that a killed rebuild has left, for a moment.
        """
        if self.last is None or checkpoint < self.last:
            return False
        if checkpoint == self.last:
            return True
        return not read_all(
            connection,
            after=self.last,
            up_to=checkpoint,
            limit=1,
            types=self.part.projection.types,
            only=self.part.only(),
        )


def filling_of(
    part: Part, masters: MasterKeys | None = None, parker: Parker | None = None
) -> Subscription:
    """Return the subscription that fills a part, with rows kept in memory."""
    projection = part.projection
    folding = KeptFolding(part, parker)
    return Subscription(
        name=part.name,
        types=projection.types,
        handler=folding.project,
        only=part.only(),
        park=None
        if parker is None
        else partial(parker.park_refused, projection, folding.tables),
        batch=BATCH,
        masters=masters,
        opens=projection.codec.opens,
    )


def read_up_to(
    connection: psycopg.Connection[Any],
    subscription: Subscription,
    goal: int,
    show: Callable[[int], None],
    live: str | None = None,
    *,
    check: Callable[[], None] = lambda: None,
) -> int:
    """
    Read the log up to the position *goal*; return the checkpoint.

    *show* gets the checkpoint between two batches, and between these it rests while the
    subscription *live* is behind. *check* is called before each batch and each look at
    a checkpoint that is held, and may raise. Raises RebuildFailed for an event that
    cannot be projected, and FillingBrokeOff where another session holds the checkpoint.
    """
    patience = time.monotonic() + MAX_SECONDS_HELD
    while True:
        # After a rest, too: what wanted this may be gone, and another be at work on it.
        check()
        started = time.monotonic()
        reached = catch_up(connection, subscription, seconds=0, up_to=goal)
        if reached.is_held and started < patience:
            time.sleep(0.1)
            continue
        if reached.is_held:
            why = "another session holds its checkpoint, or it was taken away"
            raise FillingBrokeOff(subscription.name, why)
        if reached.error is not None:
            reason = str(reached.error)
            raise RebuildFailed(subscription.name, reason) from reached.error
        show(reached.checkpoint)
        if reached.checkpoint >= goal:
            return reached.checkpoint
        if live is not None:
            rest_for(connection, live, time.monotonic() - started)


def rest_for(connection: psycopg.Connection[Any], live: str, seconds: float) -> None:
    """Rest as long as the last batch took, if the live rows are behind the log."""
    row = connection.execute(
        """
        SELECT public.settled() - checkpoint FROM public.subscriptions
        WHERE name = %s AND error IS NULL
        """,
        (live,),
    ).fetchone()
    if row is not None and row[0] > LAG_TO_REST:
        time.sleep(min(seconds, MAX_REST))


def find_checkpoints(
    connection: psycopg.Connection[Any], names: Sequence[str]
) -> dict[str, int]:
    """Return the checkpoints of the parts called *names* that there are."""
    rows = connection.execute(
        "SELECT name, checkpoint FROM public.subscriptions WHERE name = ANY (%s)",
        (list(names),),
    )
    return dict(rows.fetchall())


def merge(
    connection: psycopg.Connection[Any], parts: Sequence[Part], position: int
) -> None:
    """Make one generation of parts that all stand at *position*."""
    whole = Part(parts[0].projection, parts[0].generation)
    names = [part.name for part in parts]
    with connection.transaction():
        places = find_checkpoints(connection, names)
        assert set(places.values()) == {position}
        connection.execute(
            """
            UPDATE public.subscriptions
            SET checkpoint = %s, moved_at = clock_timestamp() WHERE name = %s
            """,
            (position, whole.name),
        )
        connection.execute(
            "DELETE FROM public.subscriptions WHERE name = ANY (%s)", (names,)
        )
        for part in parts[1:]:
            # The same as those of the first part.
            for table in part.tables().lookups.values():
                connection.execute(sql.SQL("DROP TABLE {}").format(table.identifier))
        connection.execute(
            "UPDATE public.fillings SET parts = 1, phase = 'comparing'"
            " WHERE generation = %s",
            (whole.name,),
        )
