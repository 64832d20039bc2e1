"""A club with old events of its members: a log that is to be written again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import sqlalchemy as sa

from eventstore.aggregates.decider import Deciders
from eventstore.connection import driver_connection
from eventstore.encryption.keys import MasterKeys
from eventstore.log.append import ANY_VERSION, append
from eventstore.log.events import Metadata, NewEvent, RecordedEvent
from eventstore.log.read import read_all
from eventstore.personal.keyring import Keyring
from eventstore.rewriting.archived_logs import KeptLog, find_kept
from eventstore.rewriting.rewrite import RewriteResult, rewrite
from tests.support.members import MEMBER
from tests.support.waiting import wait_until

MASTERS = MasterKeys(b"m" * 32)
MONDAY = datetime(2016, 11, 21, 9, tzinfo=UTC)


DECIDERS = Deciders([MEMBER], MASTERS)


class Club:
    """A log with old events of members, on a connection of its own."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.left: list[int] = []
        sa.event.listen(engine, "close", lambda driver, _: self.note_left(driver))

    def note_left(self, connection: psycopg.Connection[Any]) -> None:
        self.left.append(connection.info.backend_pid)

    def be_alone(self) -> None:
        """Wait until the server has ended the sessions that were left here."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as elsewhere:
            wait_until(
                lambda: (
                    not elsewhere.execute(
                        "SELECT FROM pg_stat_activity WHERE pid = ANY (%s)",
                        (self.left,),
                    ).fetchall()
                ),
                "who was connected is gone",
            )

    def url(self, database: str | None = None) -> str:
        url = self.engine.url.set(drivername="postgresql")
        if database is not None:
            url = url.set(database=database)
        return url.render_as_string(hide_password=False)

    def write(self, stream_id: str, type_: str, data: Mapping[str, Any]) -> UUID:
        """Append an event as ten years ago, of a command; return that one's id."""
        command_id = uuid4()
        event = NewEvent(
            type=type_,
            data=json.dumps(data),
            metadata=Metadata(
                event_id=uuid4(),
                correlation_id=command_id,
                causation_id=command_id,
                command_id=command_id,
                schema="1.0",
            ),
            occurred_at=MONDAY,
        )
        with self.engine.begin() as connection:
            (appended,) = append(
                driver_connection(connection),
                [(stream_id, event)],
                expected={stream_id: ANY_VERSION},
            )
            connection.execute(
                sa.text(
                    """
                    INSERT INTO commands (
                        id, stream_id, type, data, metadata, principal, fingerprint,
                        status, position
                    ) VALUES (
                        :id, :stream_id, 'Join', :data, '{}', 'staff', '', 'succeeded',
                        :position
                    )
                    """
                ),
                {
                    "id": command_id,
                    "stream_id": stream_id,
                    "data": json.dumps({"member_id": "1", "name": "Alice"}),
                    "position": appended.position,
                },
            )
        return command_id

    def rewrite(
        self, deciders: Deciders = DECIDERS, *, although_changed: bool = False
    ) -> RewriteResult:
        self.be_alone()
        with self.engine.begin() as connection:
            return rewrite(
                connection, deciders, silent, although_changed=although_changed
            )

    def read(self, deciders: Deciders = DECIDERS) -> list[RecordedEvent]:
        """Return the log, with what is personal in it."""
        with self.autocommitting() as connection:
            events = read_all(connection, after=0, up_to=10_000, limit=10_000)
            return list(Keyring(connection, deciders.masters).decrypt_events(events))

    def stored(self) -> list[RecordedEvent]:
        with self.autocommitting() as connection:
            return read_all(connection, after=0, up_to=10_000, limit=10_000)

    def kept(self) -> list[KeptLog]:
        with self.autocommitting() as connection:
            return find_kept(connection)

    def commands(self, deciders: Deciders) -> list[Any]:
        """Return the data of the journal's commands, with what is personal in them."""
        rows = self.execute("SELECT id, data::text FROM commands ORDER BY seq")
        with self.autocommitting() as connection:
            keyring = Keyring(connection, deciders.masters)
            return [json.loads(keyring.decrypt(data, id_)) for id_, data in rows]

    @contextmanager
    def autocommitting(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self.url(), autocommit=True) as connection:
            try:
                yield connection
            finally:
                self.note_left(connection)

    def execute(self, query: str) -> list[Any]:
        with self.autocommitting() as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []


def silent(label: str, length: int) -> Any:
    return nullcontext(lambda _: None)


def facts(events: Sequence[RecordedEvent]) -> list[tuple[str, int, int, Any]]:
    return [
        (e.stream_id, e.version, e.position, fact)
        for e in events
        for fact in MEMBER.events.read(e)
    ]
