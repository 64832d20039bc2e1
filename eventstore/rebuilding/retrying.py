"""Try parked streams once more, when the code or the data are mended."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

import psycopg

from eventstore.encryption.keys import MasterKeys
from eventstore.errors import CannotProject, ReadModelOutdated
from eventstore.errors.refusals import is_of_the_data
from eventstore.projections.failures import Failure
from eventstore.projections.generations import live_generations, shape_of
from eventstore.projections.parked_streams import (
    ParkedStream,
    find_parked,
    find_positions,
    park,
    unpark,
)
from eventstore.projections.parking import parking_of
from eventstore.projections.projection import Projection
from eventstore.projections.recompute import Recomputation
from eventstore.projections.tables import Tables, tables_of
from eventstore.rebuilding.rebuild import rebuild
from eventstore.steps import send_all

CHUNK = 100
"""Streams that are tried in one transaction; the checkpoint is held for it."""


class RetryResult(NamedTuple):
    """
    What came of a retry.

    *mended* is the number of streams that are followed again, *parked* the number of
    those that are parked still.
    """

    mended: int
    parked: int


Show = Callable[[RetryResult, int], None]


def retry_parked(
    connection: psycopg.Connection[Any],
    projection: Projection,
    *,
    streams: Collection[str] | None = None,
    masters: MasterKeys | None = None,
    show: Show = lambda *_: None,
) -> RetryResult:
    """
    Make the rows of parked streams once more, with what looked them up.

    A hundred streams are a transaction: what is done stays done if the process is
    killed. *streams* are ids of streams; None: all that are parked for it, and were not
    dropped. With them those are tried that are parked because of them. A read model
    that does not name the streams of its rows is rebuilt. *show* gets what was done so
    far, and of how many. *connection* is in autocommit.

    Raises ReadModelOutdated, RebuildFailed, TooIntertwined, or CannotProject where
    streams fail that were not parked: the code is at fault, and nothing of that chunk
    was changed.
    """
    found = chosen(find_parked(connection, projection.name), streams)
    if not found:
        return RetryResult(0, 0)
    if not projection.streams:
        # Rows are to differ by what was left out, and nobody knows which they are: who
        # asks for this has accepted them.
        rebuild(connection, projection, masters=masters, accept_differences=None)
        left = len(chosen(find_parked(connection, projection.name), streams))
        return RetryResult(len(found) - left, left)
    live = live_generations(connection)[projection.name]
    if live.shape != shape_of(projection):
        raise ReadModelOutdated(projection.name)
    retry = Retry(connection, projection, tables_of(projection, live.number), masters)
    done = RetryResult(0, 0)
    for chunk in chunks_of(found):
        tried = retry.run(chunk)
        done = RetryResult(done.mended + tried.mended, done.parked + tried.parked)
        show(done, len(found))
    return done


def chosen(
    parked: Sequence[ParkedStream], streams: Collection[str] | None
) -> list[ParkedStream]:
    """Return those to try: *streams*, and what is parked because of one of them."""
    if streams is None:
        return [one for one in parked if one.dropped_at is None]
    wanted, before = set(streams), -1
    while len(wanted) > before:
        before = len(wanted)
        wanted |= {one.stream_id for one in parked if one.because_of in wanted}
    return [one for one in parked if one.stream_id in wanted]


def chunks_of(parked: Sequence[ParkedStream]) -> list[list[str]]:
    """Return the streams in chunks; each has what is parked because of its streams."""
    waiting: dict[str | None, list[str]] = {}
    ids = {one.stream_id for one in parked}
    for entry in parked:
        cause = entry.because_of if entry.because_of in ids else None
        waiting.setdefault(cause, []).append(entry.stream_id)
    chunks: list[list[str]] = [[]]
    for stream_id in waiting.pop(None, []):
        if len(chunks[-1]) >= CHUNK:
            chunks.append([])
        family = [stream_id]
        # It grows while it is walked.
        for cause in family:
            family += waiting.pop(cause, [])
        chunks[-1] += family
    # What is parked because of each other has no first.
    chunks.append([stream_id for some in waiting.values() for stream_id in some])
    return [chunk for chunk in chunks if chunk]


class Retry:
    """Tries streams of one read model, each chunk in a transaction of its own."""

    def __init__(
        self,
        connection: psycopg.Connection[Any],
        projection: Projection,
        tables: Tables,
        masters: MasterKeys | None,
    ) -> None:
        self.connection = connection
        self.projection = projection
        self.tables = tables
        self.masters = masters

    def run(self, streams: Sequence[str]) -> RetryResult:
        """Try *streams*; those that another retry has mended count as neither."""
        try:
            with self.connection.transaction():
                return self.recompute(set(streams))
        except psycopg.Error as error:
            if not is_of_the_data(error):
                raise
            if len(streams) == 1:
                self.note(streams[0], error)
                return RetryResult(0, 1)
        # The rows of one of them are not taken: which one, the halves tell.
        half = len(streams) // 2
        first, second = self.run(streams[:half]), self.run(streams[half:])
        return RetryResult(first.mended + second.mended, first.parked + second.parked)

    def recompute(self, streams: set[str]) -> RetryResult:
        checkpoint, parked = self.hold()
        streams &= parked.keys()
        others = {s: place for s, place in parked.items() if s not in streams}
        work = Recomputation(
            self.connection, self.projection, self.tables, self.masters, checkpoint
        )
        done = work.run(streams, others)
        failing = {failure.stream_id: failure for failure in done.failures}
        for failure in done.failures:
            if failure.stream_id not in streams:
                raise CannotProject(failure.position, failure.error) from failure.error
        mended = streams - failing.keys()
        send_all(self.connection, done.written(self.tables))
        if failing:
            again = [parking_of(failure) for failure in failing.values()]
            park(self.tables.name, again).send(self.connection)
        unpark(self.tables.name, mended).send(self.connection)
        return RetryResult(len(mended), len(failing))

    def hold(self) -> tuple[int, dict[str, int]]:
        """Lock the checkpoint and return it, with what is parked."""
        row = self.connection.execute(
            "SELECT checkpoint FROM public.subscriptions WHERE name = %s FOR UPDATE",
            (self.tables.name,),
        ).fetchone()
        if row is None:
            raise ReadModelOutdated(self.projection.name)
        return row[0], find_positions(self.connection, self.tables.name)

    def note(self, stream_id: str, error: Exception) -> None:
        """Note that the rows of a stream were not taken by the database."""
        for parked in find_parked(self.connection, self.projection.name, [stream_id]):
            failure = Failure(stream_id, parked.position, error)
            park(self.tables.name, [parking_of(failure)]).send(self.connection)
