"""The registry of copies: which there are, and which is right for a moment."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, NamedTuple

import psycopg

from eventstore.errors import NoFoldVersion
from eventstore.log.read import settled
from eventstore.past.moments import Moment, has_events
from eventstore.projections.fold_version import fold_version
from eventstore.projections.generations import shape_of
from eventstore.projections.projection import Projection
from eventstore.projections.tables import Tables

State = Literal["wanted", "filling", "ready", "failed", "dropped"]

COLUMNS = """
    number, read_model, shape, fold_version, at, up_to, until, looked, greatest,
    has_ended, next_at, state, done, goal, tries, rows, bytes, left_out, error,
    asked_by, asked_at, begun_at, made_at, used_at, forgotten_up_to,
    extract(epoch FROM clock_timestamp() - begun_at)::float8
"""
SECONDS_BETWEEN_NOTES = 10
"""Seconds between two notes that a copy was used: a look costs no write."""


class PastCopy(NamedTuple):
    """
    A copy of a read model as of a moment: *at* a time, or the position *up_to*.

    *number* is that of its tables. It is right for times up to *until*, looking at the
    log up to the position *looked*; its last event is at *greatest*. *has_ended* and
    *next_at* are as `MomentReader` finds them. While it is filled, *done* of *goal*
    positions are read, since *seconds*. *left_out* counts the streams with an event
    that cannot be projected. *tries* is how often its filling was begun. Nobody can be
    read in it whom an event up to *forgotten_up_to* forgets.
    """

    number: int
    read_model: str
    shape: str
    fold_version: str
    at: datetime | None
    up_to: int
    until: datetime | None
    looked: int | None
    greatest: int | None
    has_ended: bool
    next_at: datetime | None
    state: State
    done: int
    goal: int
    tries: int
    rows: int | None
    bytes: int | None
    left_out: int
    error: str | None
    asked_by: str
    asked_at: datetime
    begun_at: datetime | None
    made_at: datetime | None
    used_at: datetime
    forgotten_up_to: int
    seconds: float | None

    @property
    def name(self) -> str:
        """The name of its table of rows."""
        return name_of_copy(self.read_model, self.number)

    @property
    def seconds_left(self) -> float | None:
        """How long the filling will take from now, in seconds; None: nobody knows."""
        if self.state != "filling" or not self.done or self.seconds is None:
            return None
        return self.seconds * max(self.goal - self.done, 0) / self.done


def name_of_copy(read_model: str, number: int) -> str:
    """Return the name of the table of a copy, as `order_list_at_17`."""
    return f"{read_model}_at_{number}"


def tables_of_copy(projection: Projection, number: int) -> Tables:
    return Tables(projection, name_of_copy(projection.name, number))


def version_of(projection: Projection) -> tuple[str, str]:
    """Return shape and version of the fold. Raises NoFoldVersion."""
    version = fold_version(projection)
    if version is None:
        raise NoFoldVersion(projection.name)
    return shape_of(projection), version


def find_copies(
    connection: psycopg.Connection[Any], *, numbers: Sequence[int] | None = None
) -> list[PastCopy]:
    """Return all copies, or those with *numbers*, the one used last first."""
    rows = connection.execute(
        f"""
        SELECT {COLUMNS} FROM public.past_copies
        WHERE %(numbers)s::bigint[] IS NULL OR number = ANY (%(numbers)s)
        ORDER BY used_at DESC, number DESC
        """,
        {"numbers": None if numbers is None else list(numbers)},
    )
    return [PastCopy(*row) for row in rows]


def find_start(
    connection: psycopg.Connection[Any], projection: Projection, moment: Moment
) -> PastCopy | None:
    """
    Return the copy from which that of a later moment can start, None if there is none.

    All events of the moment that it does not have are behind its last one.
    """
    found = find_start_and_forgetting(connection, projection, moment)
    return None if found is None else found[0]


def find_start_and_forgetting(
    connection: psycopg.Connection[Any], projection: Projection, moment: Moment
) -> tuple[PastCopy, int] | None:
    """
    Return what `find_start` does, and the position of the last event that forgets.

    That is looked for behind what all copies in question are known to have; 0: there is
    none. `events` has no index by type, so the log is read once, and from there.
    """
    shape, version = version_of(projection)
    row = connection.execute(
        f"""
        WITH p AS MATERIALIZED (
            SELECT * FROM public.past_copies
            WHERE read_model = %(read_model)s AND shape = %(shape)s
                AND fold_version = %(version)s AND state = 'ready'
                AND greatest <= %(up_to)s AND (
                    CASE WHEN %(at)s::timestamptz IS NULL THEN at IS NULL
                    ELSE at <= %(at)s AND (next_at IS NULL OR next_at > %(at)s) END
                )
                -- Else the log was restored, or copied.
                AND event_id IS NOT DISTINCT FROM public.event_id_at(greatest)
        ), forgetting AS MATERIALIZED (
            SELECT coalesce(max(id), 0) AS last FROM public.events
            WHERE cardinality(%(forgets)s::text[]) > 0 AND type = ANY (%(forgets)s)
                AND id > (SELECT min(forgotten_up_to) FROM p)
        )
        SELECT {COLUMNS}, last FROM p, forgetting
        -- Those that are not dropped yet: by whoever forgets, or an older program.
        WHERE forgotten_up_to >= last
        ORDER BY at DESC, greatest DESC LIMIT 1
        """,
        {
            "read_model": projection.name,
            "shape": shape,
            "version": version,
            "forgets": sorted(projection.types_that_forget),
            **moment.parameters,
        },
    ).fetchone()
    return None if row is None else (PastCopy(*row[:-1]), int(row[-1]))


def find_right(
    connection: psycopg.Connection[Any], projection: Projection, moment: Moment
) -> PastCopy | None:
    """
    Return the copy that has exactly the events of a moment, None if there is none.

    Only events are looked at that nobody has looked at before, and how far was looked
    is noted; up to which time it is right, too, and that may be an earlier one now.
    """
    # Before the look: what comes meanwhile is not noted as looked at.
    end = settled(connection)
    found = find_start_and_forgetting(connection, projection, moment)
    if found is None:
        return None
    copy, forgetting = found
    assert copy.greatest is not None
    assert copy.looked is not None
    is_known = moment.at is None or (copy.until is not None and moment.at <= copy.until)
    after = copy.looked if is_known else copy.greatest
    if after < moment.up_to:
        until = moment.at
        if is_known and copy.until != moment.at:
            # What does not belong to the later time does not belong to this one: then
            # the copy stays right for both, and nobody has to look there again.
            later = replace(moment, at=copy.until)
            if not has_events(connection, later, projection.types, after):
                until = copy.until
        if until == moment.at and has_events(
            connection, moment, projection.types, after
        ):
            return None
        connection.execute(
            """
            UPDATE public.past_copies SET until = %(new_until)s, looked = %(up_to)s
            WHERE number = %(number)s AND state = 'ready'
                -- Somebody who looked as of another moment has noted that.
                AND looked = %(looked)s AND until IS NOT DISTINCT FROM %(until)s
                AND (looked < %(up_to)s OR until IS DISTINCT FROM %(new_until)s)
            """,
            {
                **moment.parameters,
                "number": copy.number,
                "looked": copy.looked,
                "until": copy.until,
                "new_until": until,
            },
        )
    note_used(connection, copy, forgetting, end)
    return copy


def note_used(
    connection: psycopg.Connection[Any], copy: PastCopy, forgetting: int, end: int
) -> None:
    """
    Note now and then that a copy was used.

    With it, all of its read model get to know that nobody was forgotten between the
    position *forgetting* and *end*: else each later look would read the log from there.
    """
    connection.execute(
        """
        UPDATE public.past_copies SET
            used_at = CASE number
                WHEN %(number)s THEN clock_timestamp() ELSE used_at
            END,
            forgotten_up_to = greatest(forgotten_up_to, %(end)s)
        WHERE number IN (
            SELECT number FROM public.past_copies
            WHERE %(used_at)s < clock_timestamp() - make_interval(secs => %(seconds)s)
                AND read_model = %(read_model)s AND state = 'ready'
                AND forgotten_up_to >= %(forgetting)s
            ORDER BY number FOR UPDATE SKIP LOCKED
        )
        """,
        {
            "number": copy.number,
            "read_model": copy.read_model,
            "used_at": copy.used_at,
            "seconds": SECONDS_BETWEEN_NOTES,
            "forgetting": forgetting,
            "end": end,
        },
    )
