"""A club with old events of its members: a log that is to be written again."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID, uuid4

import msgspec
import psycopg
import sqlalchemy as sa

from eventstore.aggregates.decider import Decider, Deciders
from eventstore.connection import driver_connection
from eventstore.encryption.keys import MasterKeys
from eventstore.log.append import ANY_VERSION, append
from eventstore.log.codec import EventCodec
from eventstore.log.events import Metadata, NewEvent, RecordedEvent
from eventstore.log.read import read_all
from eventstore.log.upcasting import VersionedData
from eventstore.personal.keyring import Keyring
from eventstore.rewriting.archived_logs import KeptLog, find_kept
from eventstore.rewriting.rewrite import RewriteResult, rewrite
from tests.support.waiting import wait_until

MASTERS = MasterKeys(b"m" * 32)
MONDAY = datetime(2016, 11, 21, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A member of a club; version 1 had no level."""

    schema_version: ClassVar[str] = "2.0"

    name: str = field(metadata={"personal": True})
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    hours: int


def split(data: dict[str, Any]) -> Sequence[VersionedData]:
    """A month was what was paid and what was trained, and of an empty one nothing."""
    parts = (("Paid", "amount"), ("Trained", "hours"))
    return [VersionedData(type_, 1, {n: data[n]}) for type_, n in parts if data[n]]


@dataclass(frozen=True, slots=True)
class Member:
    paid: int = 0
    hours: int = 0


def evolve(member: Member, event: Any) -> Member:
    match event:
        case Paid(amount=amount):
            return replace(member, paid=member.paid + amount)
        case Trained(hours=hours):
            return replace(member, hours=member.hours + hours)
        case _:
            return member


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    member: str
    name: str = field(metadata={"personal": True})


MEMBERS = Decider(
    category="member",
    initial=Member(),
    decide=lambda member, command: [],
    evolve=evolve,
    events=EventCodec(
        [Joined, Paid, Trained],
        {
            ("Joined", 1): lambda data: {**data, "level": 0},
            ("Month", 1): split,
        },
    ),
    commands=[Join],
    rejection=ValueError,
    invalid=msgspec.ValidationError,
    read_command=lambda kind, data: msgspec.convert(data, kind),
    identity="member",
)
DECIDERS = Deciders([MEMBERS], MASTERS)


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
                    "data": json.dumps({"member": "1", "name": "Alice"}),
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
        for fact in MEMBERS.events.read(e)
    ]
