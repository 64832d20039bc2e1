"""
The store: what an application's own code asks of the log, whatever keeps it.

`PostgresStore` and `MemoryStore` are two that keep its rules, and `conformance` holds
others against them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

from eventstore.aggregates.as_of import AsOf
from eventstore.aggregates.command_handler import Outcome
from eventstore.aggregates.decider import Deciders
from eventstore.aggregates.loading import Streams
from eventstore.claims import ClaimChange
from eventstore.log.events import AppendedEvent, NewEvent, RecordedEvent

NOW = AsOf()
"""As of no point of the past: what is there now."""


class Store(Protocol):
    """A log: appended to and never changed, read by stream and as a whole."""

    def append(
        self,
        events: Sequence[tuple[str, NewEvent]],
        *,
        expected: Mapping[str, int],
        claims: Sequence[ClaimChange] = (),
    ) -> list[AppendedEvent]:
        """
        Append *events*: all of them, or none; return the place of each.

        *events* has pairs of a stream id and an event. *expected* has the version, or
        one of NO_STREAM, STREAM_EXISTS and ANY_VERSION, of every stream that is written
        or was only read; *claims* what these streams claim by the events, or release.
        At a numeric version the same events again, by their event_id, are answered with
        the places that they got the first time.

        Raises WrongExpectedVersion, AlreadyClaimed or an Unstorable error, and has then
        done nothing.
        """

    def version(self, stream_id: str, as_of: AsOf = NOW) -> int:
        """
        Return the version that a stream is at, or was; 0 if it is empty.

        Raises NoSuchVersion and NotSettled as `Store.read_stream` does.
        """

    def read_stream(
        self,
        stream_id: str,
        *,
        as_of: AsOf = NOW,
        after: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> list[RecordedEvent]:
        """
        Return the events of a stream, in order.

        *after* is a version: only the events behind it are returned. *backwards* begins
        with the last of them. Without *limit* all are returned.

        Raises NoSuchVersion for a version that the stream does not have, and NotSettled
        for a position where events may still come.
        """

    def read_all(
        self,
        *,
        after: int = 0,
        up_to: int | None = None,
        types: Sequence[str] | None = None,
        category: str | None = None,
        backwards: bool = False,
    ) -> Iterator[RecordedEvent]:
        """
        Yield the events of the log in order, however many.

        *after* and *up_to* are positions: the events begin behind the first and end
        with the second, or without it with what is settled when the first one is asked
        for. *types* and *category* leave out other events, None leaves out none.

        Raises NotSettled for an *up_to* where events may still come.
        """

    def settled(self) -> int:
        """
        Return the position up to which no further event can come in.

        What an open transaction has appended is behind it, the caller's own included.
        """

    def load(
        self, stream_ids: Iterable[str], deciders: Deciders, as_of: AsOf = NOW
    ) -> Streams:
        """
        Return the states that streams are in, or were, and their versions.

        Raises NoSuchVersion and NotSettled as `Store.read_stream` does, and
        VersionsMissing for a stream with a hole.
        """

    def handle(
        self,
        command: Any,
        *,
        deciders: Deciders,
        actor: str,
        stream_id: str | None = None,
        command_id: UUID | None = None,
    ) -> Outcome:
        """
        Handle one command: load, decide, append; return its outcome.

        Without *stream_id* it goes to the stream that the command itself names. A
        rejection is an outcome, not an error.

        Raises WrongExpectedVersion or KeyMadeElsewhere if another writer was faster:
        nothing has happened then, and the caller may call again. Raises
        VersionsMissing, and an Unstorable error for events that cannot be stored.
        """
