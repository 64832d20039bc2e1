"""
A copy made from the live rows: only those are folded that are otherwise as of a moment.

A row that no stream feeds of which an event is on one side alone, in the moment or in
the live rows, is as it is today. The others are made once more from their streams, as
of the moment. That is little for a recent day, and for a row of orders that are long
finished.
"""

from collections.abc import Callable, Collection, Set
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import TooIntertwined
from eventstore.log.events import RecordedEvent
from eventstore.past.differing_streams import (
    count_feeding,
    find_differing,
    has_more_events,
)
from eventstore.past.forgettings import has_clear_text
from eventstore.past.moments import BELONGS, Moment
from eventstore.past.registry import version_of
from eventstore.personal.keyring import Keyring
from eventstore.projections.kept_rows import store_in_pieces
from eventstore.projections.ownership import hand_over
from eventstore.projections.projection import Projection
from eventstore.projections.recompute import Recomputation
from eventstore.projections.tables import Tables, tables_of
from eventstore.steps import send_all

STEPS_OF_TIME = timedelta(microseconds=1)
STREAMS_AT_ONCE = 5_000
STREAMS_A_ROW = 10
"""How many streams a row is taken to have that streams of look-ups feed."""
MAX_EVENTS = 100_000
"""Events that are folded at most: all of them are in memory."""


class FilledFromLive(NamedTuple):
    """
    What a copy that was made from the live rows shows, as `MomentReader` has it.

    *left_out* counts the streams that could not be folded, *checkpoint* is the position
    that the live rows had read. *has_clear_text* says that events were folded without
    an envelope.
    """

    greatest: int
    has_ended: bool
    next_at: datetime | None
    left_out: int
    checkpoint: int = 0
    has_clear_text: bool = False


class LiveGenerationFound(NamedTuple):
    """The number of the live generation, and the position that its rows have read."""

    number: int
    checkpoint: int


def fill_from_live(
    connection: psycopg.Connection[Any],
    projection: Projection,
    tables: Tables,
    moment: Moment,
    masters: MasterKeys | None,
    *,
    most: int,
    note: Callable[[], None],
) -> FilledFromLive | None:
    """
    Make *tables* of a copy, and fill them from the live rows as of *moment*.

    None if that is not possible, or takes more than *most* events: then there are no
    tables. *connection* is in autocommit. *note* is called at the end of each
    transaction that writes, and may raise.
    """
    if not projection.streams or most <= 0:
        return None
    with connection.transaction():
        # The rows, and the position that they have read, are those of one moment.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        live = find_fit_generation(connection, projection)
        if live is None:
            return None
        streams = find_differing(connection, projection, moment, live.checkpoint)
        if count_feeding(projection, streams) * STREAMS_A_ROW > most:
            return None
        # Of an old day most streams have events behind it: no row is copied in vain.
        if has_more_events(connection, projection, moment, streams, most):
            return None
        tables.create(connection, is_logged=False)
        hand_over(connection, "TABLE", *(table.name for table in tables.all))
        of_live = tables_of(projection, live.number)
        for ours, theirs in zip(tables.all, of_live.all, strict=True):
            names = sql.SQL(", ").join(map(sql.Identifier, ours.columns))
            connection.execute(
                sql.SQL("INSERT INTO {} ({names}) SELECT {names} FROM {}").format(
                    ours.identifier, theirs.identifier, names=names
                )
            )
        note()
    for table in tables.all:
        connection.execute(sql.SQL("ANALYZE {}").format(table.identifier))
    recomputation = RecomputationAsOf(
        connection,
        projection,
        tables,
        masters,
        moment,
        min(most, MAX_EVENTS),
        streams,
    )
    try:
        made = recomputation.run(streams, {})
    except TooIntertwined:
        with connection.transaction():
            for table in tables.all:
                connection.execute(sql.SQL("DROP TABLE {}").format(table.identifier))
            note()
        return None
    with connection.transaction():
        for name, rows in made.lookups.items():
            send_all(connection, store_in_pieces(tables.lookups[name], rows))
        send_all(connection, store_in_pieces(tables.rows, made.rows))
        note()
    found = describe(connection, projection, moment, len(made.failures))
    return found._replace(
        checkpoint=live.checkpoint, has_clear_text=recomputation.has_clear_text
    )


def find_fit_generation(
    connection: psycopg.Connection[Any], projection: Projection
) -> LiveGenerationFound | None:
    """Return the live generation if this code has made all of its rows, else None."""
    shape, version = version_of(projection)
    row = connection.execute(
        """
        SELECT g.live, s.checkpoint
        FROM public.generations AS g
        JOIN public.subscriptions AS s ON s.name = g.read_model || '_g' || g.live
        JOIN public.fillings AS f ON f.generation = s.name
        WHERE g.read_model = %(name)s AND g.shape = %(shape)s
            AND f.fold_version = %(version)s
            AND public.checkpoint_fault(s.checkpoint, s.event_id) IS NULL
            AND NOT EXISTS (
                SELECT FROM public.parked_streams AS p WHERE p.subscription = s.name
            )
            -- Else they have somebody yet who is forgotten.
            AND NOT EXISTS (
                SELECT FROM public.events AS e
                WHERE e.id > s.checkpoint AND e.type = ANY (%(forgets)s)
            )
        """,
        {
            "name": projection.name,
            "shape": shape,
            "version": version,
            "forgets": sorted(projection.types_that_forget),
        },
    ).fetchone()
    return None if row is None else LiveGenerationFound(*row)


def describe(
    connection: psycopg.Connection[Any],
    projection: Projection,
    moment: Moment,
    left_out: int,
) -> FilledFromLive:
    """Return what the copy shows."""
    row = connection.execute(
        f"""
        SELECT e.id FROM public.events AS e
        WHERE e.type = ANY (%(types)s) AND {BELONGS} ORDER BY e.id DESC LIMIT 1
        """,
        {**moment.parameters, "types": list(projection.types)},
    ).fetchone()
    greatest = 0 if row is None else int(row[0])
    if moment.at is None:
        return FilledFromLive(greatest, False, None, left_out)
    has_ended = connection.execute(
        """
        SELECT EXISTS (
            SELECT FROM public.events WHERE id <= %s AND occurred_at > %s
        )
        """,
        (greatest, moment.at),
    ).fetchone() == (True,)
    # When the next one joins was not looked for: it is taken to be at once.
    next_at = moment.at + STEPS_OF_TIME if has_ended else None
    return FilledFromLive(greatest, has_ended, next_at, left_out)


class RecomputationAsOf(Recomputation):
    """Folds streams alone, with what else feeds their rows, as of a moment."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        projection: Projection,
        tables: Tables,
        masters: MasterKeys | None,
        moment: Moment,
        most: int,
        differing: Set[str],
    ) -> None:
        super().__init__(connection, projection, tables, masters, moment.up_to, most)
        self.moment = moment
        self.budget = most
        # Many of these have no event in the moment; the others, mostly, have some.
        self.differing = differing
        self.has_clear_text = False

    def load(self, streams: Collection[str]) -> None:
        """
        Read the events of *streams* in the moment, with their personal fields.

        Raises TooIntertwined.
        """
        if len({*streams} - self.differing) > self.budget:
            raise TooIntertwined(self.projection.name, len(streams))
        names = sorted(streams)
        for start in range(0, len(names), STREAMS_AT_ONCE):
            self.load_some(names[start : start + STREAMS_AT_ONCE])
            if len(self.events) > self.budget:
                raise TooIntertwined(self.projection.name, len(streams))
        self.read.update(streams)

    def load_some(self, streams: list[str]) -> None:
        rows = self.connection.execute(
            """
            SELECT
                id, stream_id, type, version, data::text, metadata::text, occurred_at
            FROM (
                SELECT *, coalesce(bool_or(occurred_at > %(at)s::timestamptz) OVER (
                    PARTITION BY stream_id ORDER BY version
                ), false) AS is_late
                FROM public.events
                WHERE stream_id = ANY (%(streams)s) AND id <= %(up_to)s
            ) AS e
            WHERE NOT is_late AND type = ANY (%(types)s)
            """,
            {
                **self.moment.parameters,
                "streams": streams,
                "types": list(self.projection.types),
            },
        )
        events = [RecordedEvent(*row) for row in rows]
        codec = self.projection.codec
        self.has_clear_text = self.has_clear_text or has_clear_text(codec, events)
        if self.masters is not None:
            keyring = Keyring(self.connection, self.masters)
            events = list(keyring.decrypt_readable(events, codec.opens))
        self.events |= {event.position: event for event in events}
