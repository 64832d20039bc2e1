"""The store on PostgreSQL, over a connection of the caller's and in its transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from eventstore.aggregates.as_of import AsOf, load_as_of, read_as_of, versions_as_of
from eventstore.aggregates.command_handler import Outcome, handle
from eventstore.aggregates.decider import Deciders
from eventstore.aggregates.loading import Streams, load
from eventstore.claims import ClaimChange
from eventstore.connection import Connection, psycopg_connection
from eventstore.log.append import append
from eventstore.log.events import AppendedEvent, NewEvent, RecordedEvent
from eventstore.log.read import read_stream, scan, scan_back, settled
from eventstore.store import NOW


@dataclass(frozen=True, slots=True)
class PostgresStore:
    """
    The log in a database, with the methods of `Store`.

    *connection* is SQLAlchemy's or psycopg's. Calls are part of its transaction, and
    visible to others when the caller commits; in autocommit each call is a transaction
    of its own. After a refused append, a transaction can continue only from a
    savepoint, as after any error of a statement.
    """

    connection: Connection

    @property
    def driver(self) -> psycopg.Connection[Any]:
        """The psycopg connection, in the caller's transaction: for all functions."""
        return psycopg_connection(self.connection)

    def append(
        self,
        events: Sequence[tuple[str, NewEvent]],
        *,
        expected: Mapping[str, int],
        claims: Sequence[ClaimChange] = (),
    ) -> list[AppendedEvent]:
        return append(self.driver, events, expected=expected, claims=claims)

    def version(self, stream_id: str, as_of: AsOf = NOW) -> int:
        return versions_as_of(self.driver, [stream_id], as_of)[stream_id]

    def read_stream(
        self,
        stream_id: str,
        *,
        as_of: AsOf = NOW,
        after: int = 0,
        backwards: bool = False,
        limit: int | None = None,
    ) -> list[RecordedEvent]:
        part: dict[str, Any] = {"after": after, "backwards": backwards, "limit": limit}
        if as_of == NOW:
            return read_stream(self.driver, stream_id, **part)
        return read_as_of(self.driver, stream_id, as_of, **part)

    def read_all(
        self,
        *,
        after: int = 0,
        up_to: int | None = None,
        types: Sequence[str] | None = None,
        category: str | None = None,
        backwards: bool = False,
    ) -> Iterator[RecordedEvent]:
        read = scan_back if backwards else scan
        return read(
            self.driver, after=after, up_to=up_to, types=types, category=category
        )

    def settled(self) -> int:
        return settled(self.driver)

    def load(
        self, stream_ids: Iterable[str], deciders: Deciders, as_of: AsOf = NOW
    ) -> Streams:
        if as_of == NOW:
            return load(self.driver, stream_ids, deciders)
        return load_as_of(self.driver, stream_ids, deciders, as_of)

    def handle(
        self,
        command: Any,
        *,
        deciders: Deciders,
        actor: str,
        stream_id: str | None = None,
        command_id: UUID | None = None,
    ) -> Outcome:
        return handle(
            self.driver,
            command,
            deciders=deciders,
            actor=actor,
            stream_id=stream_id,
            command_id=command_id,
        )
