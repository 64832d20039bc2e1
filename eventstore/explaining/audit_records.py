"""What the audit has stored: how far each of its walks is, and the wrong rows."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg

from eventstore.explaining.page_walk import PageWalk, begin_walk
from eventstore.explaining.row_audit import WrongRow
from eventstore.projections.projection import Key

OF_LOG = "*"
"""The name of the walk over the streams of the log, which no read model can have."""

MAX_REST = timedelta(hours=1)
ALONE = "hashtext('recount'), hashtext('audit')"


@contextmanager
def lone_audit(connection: psycopg.Connection[Any]) -> Iterator[bool]:
    """Hold this session's lock on the audit; lend whether nobody else has it."""
    row = connection.execute(f"SELECT pg_try_advisory_lock({ALONE})").fetchone()
    try:
        yield row == (True,)
    finally:
        if row == (True,):
            connection.execute(f"SELECT pg_advisory_unlock({ALONE})")


@dataclass(slots=True)
class WalkRecord:
    """
    A walk over the rows of a read model, or over the streams of the log.

    *rounds* counts those that were ended, the last at *ended_at*; the present one began
    at *begun_at*. *rows* is how many were looked at so far, *seconds* what that took,
    *left_out* how many could not be in this round.
    """

    name: str
    generation: int = 0
    walk: PageWalk = field(default_factory=PageWalk)
    rounds: int = 0
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    rows: int = 0
    left_out: int = 0
    seconds: float = 0.0
    looked_at: datetime | None = None
    rests_until: datetime | None = None

    @property
    def is_resting(self) -> bool:
        """Whether no look is due yet."""
        if self.rests_until is None:
            return False
        # Longer than that only after a clock was set back.
        return timedelta() < self.rests_until - datetime.now(UTC) < MAX_REST

    def rest(self, seconds: float) -> None:
        self.rests_until = datetime.now(UTC) + timedelta(seconds=seconds)

    def begin_round(self, pages: int) -> None:
        """Begin a round over so many pages."""
        self.walk = begin_walk(pages)
        self.begun_at = datetime.now(UTC)
        self.left_out = 0

    def end_if_over(self) -> bool:
        """Return whether the round is over; note that it is."""
        if self.walk.is_over:
            self.rounds += 1
            self.ended_at = datetime.now(UTC)
        return self.walk.is_over


def load_walks(connection: psycopg.Connection[Any]) -> dict[str, WalkRecord]:
    """Return all walks, by name; the one over the log is called OF_LOG."""
    rows = connection.execute(
        """
        SELECT
            name, generation, pages, first, stride, done, rounds, begun_at, ended_at,
            rows, left_out, seconds, looked_at, rests_until
        FROM public.audit_walks
        """
    )
    return {
        name: WalkRecord(
            name,
            generation,
            PageWalk(pages=pages, first=first, stride=stride, done=done),
            *others,
        )
        for name, generation, pages, first, stride, done, *others in rows
    }


def save_walks(
    connection: psycopg.Connection[Any], walks: Collection[WalkRecord]
) -> None:
    """Store how far these walks are."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO public.audit_walks AS w (
                name, generation, pages, first, stride, done, rounds, begun_at,
                ended_at, rows, left_out, seconds, looked_at, rests_until
            )
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (name) DO UPDATE SET (
                generation, pages, first, stride, done, rounds, begun_at,
                ended_at, rows, left_out, seconds, looked_at, rests_until
            ) = ROW (
                EXCLUDED.generation, EXCLUDED.pages, EXCLUDED.first, EXCLUDED.stride,
                EXCLUDED.done, EXCLUDED.rounds, EXCLUDED.begun_at, EXCLUDED.ended_at,
                EXCLUDED.rows, EXCLUDED.left_out, EXCLUDED.seconds, EXCLUDED.looked_at,
                EXCLUDED.rests_until
            )
            """,
            [
                (
                    one.name,
                    one.generation,
                    one.walk.pages,
                    one.walk.first,
                    one.walk.stride,
                    one.walk.done,
                    one.rounds,
                    one.begun_at,
                    one.ended_at,
                    one.rows,
                    one.left_out,
                    one.seconds,
                    one.looked_at,
                    one.rests_until,
                )
                for one in walks
            ],
        )


class WrongRowRecord(NamedTuple):
    """
    A row that was found wrong, without its values.

    *place* is `table`, or the name of a store. *kind* is as in `WrongRow`, *columns*
    are those with other values, *streams* those by which it is looked at once more. It
    was *found_at* first, and *seen_at* last.
    """

    read_model: str
    place: str
    key: str
    generation: int
    kind: str
    columns: Sequence[str]
    streams: Sequence[str]
    found_at: datetime
    seen_at: datetime


def find_wrong_rows(
    connection: psycopg.Connection[Any], *, limit: int | None = None
) -> list[WrongRowRecord]:
    """Return the wrong rows that are known, those seen longest ago first."""
    rows = connection.execute(
        """
        SELECT
            read_model, place, key, generation, kind, columns, streams, found_at,
            seen_at
        FROM public.wrong_rows ORDER BY seen_at, read_model, key LIMIT %s
        """,
        (limit,),
    )
    return [WrongRowRecord(*row) for row in rows]


def count_wrong_rows(
    connection: psycopg.Connection[Any],
) -> dict[tuple[str, str], int]:
    """Return how many rows of live generations are known wrong, by model and place."""
    rows = connection.execute(
        """
        SELECT w.read_model, w.place, count(*)
        FROM public.wrong_rows AS w
        JOIN public.generations AS g
            ON (g.read_model, g.live) = (w.read_model, w.generation)
        GROUP BY 1, 2 ORDER BY 1, 2
        """
    )
    return {(read_model, place): count for read_model, place, count in rows}


def note_wrong_rows(
    connection: psycopg.Connection[Any], rows: Sequence[WrongRow], generation: int
) -> list[WrongRow]:
    """Store wrong rows of a generation; return those that were not known."""
    new = []
    for row in rows:
        found = connection.execute(
            """
            INSERT INTO public.wrong_rows AS w (
                read_model, place, key, generation, kind, columns, streams
            )
            VALUES (%s, %s, %s, %s, %s, %s, %s)
            ON CONFLICT (read_model, place, key) DO UPDATE SET
                generation = EXCLUDED.generation,
                kind = EXCLUDED.kind,
                columns = EXCLUDED.columns,
                streams = EXCLUDED.streams,
                seen_at = clock_timestamp()
            RETURNING xmax = 0
            """,
            (
                row.read_model,
                row.place,
                str(row.key),
                generation,
                row.kind,
                list(row.columns),
                list(row.streams),
            ),
        ).fetchone()
        if found == (True,):
            new.append(row)
    return new


def forget_right_rows(
    connection: psycopg.Connection[Any],
    read_model: str,
    place: str,
    keys: Collection[Key | str],
) -> None:
    """Delete the wrong rows with these keys: they are right now, or gone."""
    connection.execute(
        "DELETE FROM public.wrong_rows"
        " WHERE read_model = %s AND place = %s AND key = ANY (%s)",
        (read_model, place, [str(key) for key in keys]),
    )


def forget_other_generations(
    connection: psycopg.Connection[Any], live: Mapping[str, int]
) -> None:
    """Delete the wrong rows of generations that are not *live*, by read model."""
    connection.execute(
        """
        DELETE FROM public.wrong_rows AS w
        WHERE NOT EXISTS (
            SELECT FROM unnest(%s::text[], %s::integer[]) AS live (name, number)
            WHERE live.name = w.read_model AND live.number = w.generation
        )
        """,
        (list(live), list(live.values())),
    )
