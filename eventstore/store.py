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
        Append *events*, each with its stream: all of them, or none.

        *expected* has the version, or what else is expected, of every stream that is
        written or was only read; *claims* what these streams claim by the events, or
        release. At a numeric version the same events again, by their event_id, are
        answered with the places that they got the first time.

        Raises WrongExpectedVersion, AlreadyClaimed or an Unstorable error, and has then
        done nothing.
        """

    def version(self, stream_id: str, as_of: AsOf = NOW) -> int:
        """Return what version a stream is at, or was; 0 where it is empty."""

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
        Return the events of a stream behind version *after*, in order.

        *backwards* begins with the last of them. Raises NoSuchVersion for a version
        that the stream does not have, and NotSettled for a position that is not.
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
        Yield the events of the log in order, however many, behind position *after*.

        They end at *up_to*, or at what is settled when the first one is asked for.
        Raises NotSettled for a position where events may still come.
        """

    def settled(self) -> int:
        """
        Return the position up to which no event can come in any more.

        What a transaction that is still open has appended is behind it, the caller's
        own included.
        """

    def load(
        self, stream_ids: Iterable[str], deciders: Deciders, as_of: AsOf = NOW
    ) -> Streams:
        """Return the states that streams are in, or were, and their versions."""

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
        Handle one command: load, decide, append; return what became of it.

        Without *stream_id* it goes to the stream that the command itself tells. Raises
        WrongExpectedVersion where somebody else was faster: nothing has happened then,
        and the caller may call again.
        """
