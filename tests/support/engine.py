"""A small application of the engine: counters, which know nothing of orders."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import psycopg
import sqlalchemy as sa

from eventstore.aggregates.decider import Decider, Deciders
from eventstore.journal.accept import accept
from eventstore.journal.drain import drain
from eventstore.journal.entries import Entry, Incident, find, find_incidents
from eventstore.journal.finishing import DrainResult
from eventstore.journal.runner import Limits, Runner
from eventstore.journal.take import LeasedStream, take
from eventstore.log.append import append
from eventstore.log.codec import EventCodec
from eventstore.log.events import Metadata, NewEvent, RecordedEvent
from eventstore.log.read import read_stream

SECRET = b"a secret of the tests"
FULL = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    amount: int
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Add to a counter; without an id it is a new one and gets a number."""

    counter_id: str | None = None
    amount: int = 1
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddIfZero:
    """Add to a counter, if *other* counts nothing."""

    counter_id: str
    other: str
    amount: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Divide:
    """Divide by zero: a command whose handling has a bug."""

    counter_id: str


CounterCommand = Add | AddIfZero | Divide


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter, as its events so far leave it."""

    total: int = 0


class CounterFull(Exception):
    """A counter counts no further."""

    def __init__(self, total: int) -> None:
        self.figures = {"total": total}
        super().__init__(f"It counts to {FULL}, and is at {total}.")


def decide(
    counter: Counter, command: CounterCommand, *, other: Counter | None = None
) -> Sequence[Added]:
    match command:
        case Divide():
            raise ZeroDivisionError(f"of {command.counter_id}")
        case AddIfZero() if other is not None and other.total:
            raise CounterFull(other.total)
        case _ if counter.total + command.amount > FULL:
            raise CounterFull(counter.total)
        case _ if command.amount == 0:
            return []
        case Add():
            return [Added(amount=command.amount, note=command.note)]
        case AddIfZero():
            return [Added(amount=command.amount)]


def evolve(counter: Counter, event: Added) -> Counter:
    return Counter(counter.total + event.amount)


def reads(command: CounterCommand) -> Mapping[str, str]:
    if isinstance(command, AddIfZero):
        return {"other": f"counter-{command.other}"}
    return {}


def counters(decide: Callable[..., Sequence[Any]] = decide) -> Deciders:
    """Return the deciders of this application, perhaps with another *decide*."""
    counter = Decider(
        category="counter",
        initial=Counter(),
        decide=decide,
        evolve=evolve,
        events=EventCodec([Added]),
        commands=[Add, AddIfZero, Divide],
        rejection=CounterFull,
        invalid=msgspec.ValidationError,
        read_command=lambda kind, data: msgspec.convert(data, kind),
        identity="counter_id",
        numbers="counter_numbers",
        reads=reads,
    )
    return Deciders([counter])


def meanwhile(act: Callable[[Any], object]) -> Deciders:
    """Return deciders that do *act* with each command while they decide it."""

    def decide_meanwhile(state: Counter, command: Any, **others: Any) -> Sequence[Any]:
        act(command)
        return decide(state, command, **others)

    return counters(decide_meanwhile)


COUNTERS = counters()


def added(
    amount: int, *, occurred_at: datetime | None = None, command_id: UUID | None = None
) -> NewEvent:
    """Return a new event, as somebody writes it who does not use the journal."""
    event_id = uuid4()
    return NewEvent(
        type="Added",
        data=msgspec.json.encode(Added(amount=amount)).decode(),
        metadata=Metadata(
            event_id=event_id,
            correlation_id=event_id,
            causation_id=event_id,
            command_id=command_id,
            schema="1.0",
            actor="alice",
        ),
        occurred_at=occurred_at,
    )


def connect(
    url: str, *, autocommit: bool = True, options: str = ""
) -> psycopg.Connection[Any]:
    """Return a connection of psycopg's own to the database at an SQLAlchemy URL."""
    plain = sa.make_url(url).set(drivername="postgresql")
    return psycopg.connect(
        plain.render_as_string(hide_password=False),
        autocommit=autocommit,
        options=options,
    )


@dataclass(frozen=True, slots=True)
class Engine:
    """The engine on one database, with counters for an application."""

    url: str
    connection: psycopg.Connection[Any]
    pool: sa.Engine
    connections: list[psycopg.Connection[Any]] = field(default_factory=list)

    def connect(self, *, autocommit: bool = True) -> psycopg.Connection[Any]:
        """Return one more connection: somebody else."""
        connection = connect(self.url, autocommit=autocommit)
        self.connections.append(connection)
        return connection

    def close(self) -> None:
        for connection in (self.connection, *self.connections):
            connection.close()
        self.pool.dispose()

    def is_waiting_for_a_lock(self, observer: psycopg.Connection[Any]) -> bool:
        """Return whether our own connection waits, as *observer* sees it."""
        ((is_waiting,),) = observer.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = %s AND NOT granted)",
            (self.connection.info.backend_pid,),
        ).fetchall()
        return bool(is_waiting)

    def accept(
        self,
        command: Any,
        *,
        decider: Decider = COUNTERS.all[0],
        key: str | None = None,
        principal: str = "alice",
        expected_version: int | None = None,
        not_before: datetime | None = None,
    ) -> UUID:
        """Accept a command, under a key of its own unless one is told."""
        accepted = accept(
            self.connection,
            command,
            decider=decider,
            principal=principal,
            key=key or str(uuid4()),
            secret=SECRET,
            expected_version=expected_version,
            not_before=not_before,
        )
        return accepted.command_id

    def take(
        self,
        command_id: UUID,
        connection: psycopg.Connection[Any] | None = None,
        *,
        max_bytes: int = 1_000_000,
    ) -> LeasedStream | None:
        return take(
            connection or self.connection,
            command_id,
            Runner(
                deciders=COUNTERS,
                name="worker",
                limits=Limits(bytes=max_bytes, deaths=3),
            ),
        )

    def take_and_die(self, command_id: UUID) -> None:
        """Take the stream of a command as a runner does that is then killed."""
        runner = connect(self.url)
        self.take(command_id, runner)
        # Until the server has ended the session it holds the stream's lock.
        self.connection.execute(
            "SELECT pg_terminate_backend(%s, 10000)", (runner.info.backend_pid,)
        )
        runner.close()

    def drain(
        self,
        command_id: UUID,
        *,
        deciders: Deciders = COUNTERS,
        limits: Limits | None = None,
    ) -> DrainResult:
        return drain(
            self.connection,
            [command_id],
            Runner(deciders=deciders, name="worker", limits=limits or Limits()),
        )

    def entry(self, command_id: UUID) -> Entry:
        """Return a command, as the journal has it."""
        with self.pool.connect() as connection:
            entry = find(connection, command_id)
        assert entry is not None
        return entry

    def statuses(self, *command_ids: UUID) -> list[str]:
        return [self.entry(command_id).status for command_id in command_ids]

    def incidents(self, command_id: UUID) -> list[Incident]:
        with self.pool.connect() as connection:
            return find_incidents(connection, command_id)

    def append(self, stream_id: str, *amounts: int, expected: int) -> list[int]:
        """Append events as somebody who does not use the journal."""
        events = [(stream_id, added(amount)) for amount in amounts]
        done = append(self.connection, events, expected={stream_id: expected})
        return [appended.position for appended in done]

    def stream(self, stream_id: str) -> list[RecordedEvent]:
        return read_stream(self.connection, stream_id)

    def amounts(self, stream_id: str) -> list[int]:
        """Return what was added to a counter, in order."""
        events = self.stream(stream_id)
        return [msgspec.json.decode(event.data)["amount"] for event in events]


def open_engine(url: str) -> Engine:
    """Return the engine on the database at *url*; whoever opens it closes it."""
    return Engine(url, connect(url), sa.create_engine(url))


def empty(connection: psycopg.Connection[Any]) -> None:
    """
    Leave the tables of the engine as they are in a new database, and nothing else.

    Far cheaper than a new one. Only the tables' owner can, by hand: the past is not
    changed.
    """
    connection.execute(
        """
        SET LOCAL synchronous_commit = off;
        ALTER TABLE events DISABLE TRIGGER events_refuse_change;
        DELETE FROM events;
        ALTER TABLE events ENABLE ALWAYS TRIGGER events_refuse_change;
        DELETE FROM commands;
        DELETE FROM command_incidents;
        DELETE FROM prunings;
        DELETE FROM vault.keys;
        DELETE FROM subscriptions;
        DELETE FROM process_managers;
        DELETE FROM signals;
        DELETE FROM passes;
        DELETE FROM parked_streams;
        DELETE FROM read_stores;
        DELETE FROM refused_rows;
        DELETE FROM audit_walks;
        DELETE FROM wrong_rows;
        DELETE FROM generations;
        DELETE FROM fillings;
        DELETE FROM followed_read_models;
        DELETE FROM change_counters;
        DELETE FROM snapshots;
        ALTER TABLE seals DISABLE TRIGGER seals_refuse_change;
        DELETE FROM seals;
        ALTER TABLE seals ENABLE ALWAYS TRIGGER seals_refuse_change;
        DELETE FROM unique_claims;
        DELETE FROM heartbeats;
        SELECT setval('events_id_seq', 1, false);
        DROP SCHEMA IF EXISTS readmodels CASCADE;
        DROP TABLE IF EXISTS seen;
        DROP SEQUENCE IF EXISTS counter_numbers;
        """
    )


def at_once(
    engine: Engine, *work: Callable[[psycopg.Connection[Any]], Any]
) -> list[Any]:
    """Start all of *work* at the same moment, each on a connection of its own."""
    start = threading.Barrier(len(work))
    connections = [engine.connect() for _ in work]

    def run(
        one: Callable[[psycopg.Connection[Any]], Any],
        connection: psycopg.Connection[Any],
    ) -> Any:
        start.wait(10)
        return one(connection)

    with ThreadPoolExecutor(len(work)) as threads:
        return list(threads.map(run, work, connections, timeout=30))
