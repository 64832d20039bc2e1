"""Rebuilding: a new generation is filled beside the live one, then takes its place."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import RebuildFailed
from eventstore.errors.rebuilding import (
    RowsDiffer,
    RowsNotCompared,
    ViewInUse,
)
from eventstore.errors.refusals import ends_the_session
from eventstore.errors.text import error_text
from eventstore.projections.generations import REBUILDING, drop_generation
from eventstore.projections.parking import Parker
from eventstore.projections.projection import Projection
from eventstore.rebuilding.course import Rebuild, Report, Show
from eventstore.rebuilding.filling import find_checkpoints
from eventstore.rebuilding.fillings import Begun, begin
from eventstore.rebuilding.processes import Connect, is_passing
from eventstore.rebuilding.result import Rebuilt

MAX_SECONDS_TO_BEGIN = 1.0
"""So long the session of a process that was killed may still hold the lock."""
KEEP_FILLING = (
    KeyboardInterrupt,
    SystemExit,
    RowsDiffer,
    RowsNotCompared,
    ViewInUse,
)
"""After these the next rebuild goes on with what was filled."""

Say = Callable[[str], None]


def rebuild(
    connection: psycopg.Connection[Any],
    projection: Projection,
    *,
    show: Show = lambda _: None,
    say: Say = lambda _: None,
    report: Report = lambda _: None,
    masters: MasterKeys | None = None,
    parker: Parker | None = None,
    connect: Connect | None = None,
    processes: int = 1,
    accept_differences: int | None = 0,
    is_dry_run: bool = False,
) -> Rebuilt:
    """
    Fill a new generation of a read model from the log, and put it behind the name.

    It also works if there is none yet, or if its tables were dropped. Readers see the
    old rows until they see the new ones, and these are at least as new. The generation
    that was live is kept until the next rebuild. What a rebuild that was killed left
    behind is gone on with, if definition, code and *processes* are the same; *say* gets
    a sentence about that. *connection* is in autocommit and is used for nothing else;
    *connect* opens others to the same database. *masters* open the personal fields of
    events. With a *parker* an event that cannot be projected parks its stream for the
    new generation, and the filling goes on. *processes* is their number; with several
    there is no parker.

    Before it is put live, it is compared with the rows that are live, at the same
    position, if these are of the same definition. *report* gets the result.
    If more rows differ than *accept_differences* (None: any number), RowsDiffer is
    raised; the filled generation is kept, and the next rebuild goes on with it. Where
    the live rows are too far behind to compare with, RowsNotCompared is raised, unless
    any number is accepted. With *is_dry_run* it ends with the comparison, and what it
    has filled is dropped, unless an earlier rebuild had begun it.

    Raises RebuildFailed if an event cannot be projected, or another process rebuilds
    the same; the live generation is then as it was.
    """
    if processes > 1 and parker is not None:
        raise ValueError("streams are parked by one process: processes must be 1")
    with alone(connection, projection):
        work = Rebuild(
            connection,
            projection,
            connect or (lambda: connect_as(connection)),
            masters,
            parker,
            show,
            report,
        )
        if not is_dry_run and (refusal := work.refusal_of(None, accept_differences)):
            # Now, and not after hours of filling.
            raise refusal
        begun = begin(connection, projection, processes)
        for sentence in sentences_of(begun, connection):
            say(sentence)
        try:
            return work.run(begun, accept_differences, is_dry_run=is_dry_run)
        except BaseException as error:
            is_kept = work.is_over or isinstance(error, KEEP_FILLING)
            if not is_kept and not is_passing(error):
                # What cannot be dropped now, the next rebuild drops.
                with suppress(psycopg.Error), connection.transaction():
                    number = begun.parts[0].generation
                    drop_generation(connection, projection.name, number)
            if isinstance(error, psycopg.Error) and not ends_the_session(
                connection, error
            ):
                raise RebuildFailed(projection.name, error_text(error)) from error
            raise


def connect_as(
    connection: psycopg.Connection[Any],
) -> AbstractContextManager[psycopg.Connection[Any]]:
    """Open another session as the login of *connection*, to the same database."""
    info = connection.info
    address = make_conninfo(info.dsn, password=info.password)
    return psycopg.connect(address, autocommit=True)


@contextmanager
def alone(
    connection: psycopg.Connection[Any], projection: Projection
) -> Iterator[None]:
    """Hold this session's lock on rebuilding a read model, or raise RebuildFailed."""
    until = time.monotonic() + MAX_SECONDS_TO_BEGIN
    # A server that is at work on an index notices that its client was killed.
    with suppress(psycopg.Error):
        connection.execute("SET client_connection_check_interval = '1s'")
    while True:
        row = connection.execute(
            f"SELECT pg_try_advisory_lock({REBUILDING})", (projection.name,)
        ).fetchone()
        if row == (True,):
            break
        if time.monotonic() > until:
            raise RebuildFailed(projection.name, "somebody else is rebuilding it")
        time.sleep(0.1)
    try:
        yield
    finally:
        # A broken connection has released it already.
        with suppress(psycopg.Error):
            connection.execute(
                f"SELECT pg_advisory_unlock({REBUILDING})", (projection.name,)
            )
            connection.execute("RESET client_connection_check_interval")


def sentences_of(begun: Begun, connection: psycopg.Connection[Any]) -> Iterator[str]:
    """Yield what there is to say of an earlier filling."""
    if begun.dropped is not None:
        yield f"an earlier filling is not gone on with: {begun.dropped}"
    if begun.is_resumed:
        places = find_checkpoints(connection, [part.name for part in begun.parts])
        yield f"it goes on at position {min(places.values()):,}"
