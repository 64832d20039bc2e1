"""
Each protection of the fence is needed: taken away, readers miss events.

Every course of events is told twice: as it is, when nothing is missed, and with the
protection that it is about taken away, when it shows by a number.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from eventstore.sql import source
from tests.support.engine import connect
from tests.support.fence import Reader, committed_ids
from tests.support.waiting import wait_until

Connection = psycopg.Connection[Any]


@dataclass
class Log:
    """A log, whoever writes to it, and a reader that follows."""

    url: str
    connection: Connection
    reader: Reader
    # Where the writers insert: a partition, where the log is made of them.
    table: str = "events"

    def read(self) -> None:
        self.reader.read(self.connection)

    def insert(self, writer: Connection, events: int = 1) -> None:
        writer.execute(
            f"""
            INSERT INTO {self.table}
                (stream_id, type, version, data, metadata, occurred_at)
            SELECT 'race-' || gen_random_uuid(), 'Happened', 1, '{{}}', '{{}}', now()
            FROM generate_series(1, {events})
            """
        )

    @property
    def missed(self) -> int:
        return len(set(committed_ids(self.connection)) - set(self.reader.seen))


def a_writer_commits_late(log: Log) -> None:
    with connect(log.url, autocommit=False) as slow:
        log.insert(slow, 3)
        log.insert(log.connection)
        log.read()
        slow.commit()
    log.read()


def two_sessions_take_turns(log: Log) -> None:
    with connect(log.url) as one, connect(log.url) as other:
        log.insert(one)
        log.insert(other)
        log.read()
        log.insert(one, 5)
    log.read()


def the_first_event_of_a_log_comes_after_a_reader(log: Log) -> None:
    log.read()
    log.insert(log.connection)
    log.read()


def a_commit_comes_behind_a_snapshot(log: Log) -> None:
    """The reader's transaction has begun to look, and reads after a commit."""
    with connect(log.url, autocommit=False) as reader:
        reader.execute("SELECT count(*) FROM events")
        log.insert(log.connection, 4)
        log.reader.read(reader)
        reader.commit()
    log.read()


def a_commit_comes_behind_one_that_lasts(log: Log) -> None:
    """The same under REPEATABLE READ."""
    with connect(log.url, autocommit=False) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT count(*) FROM events")
        log.insert(log.connection, 4)
        try:
            log.reader.read(reader)
        except psycopg.errors.ObjectNotInPrerequisiteState:
            reader.rollback()
        reader.commit()
    log.read()


def a_writer_has_a_sequence_of_the_same_name(log: Log) -> None:
    with connect(log.url, autocommit=False) as slow:
        slow.execute("CREATE TEMPORARY SEQUENCE events_id_seq START 700")
        slow.execute("SELECT nextval('pg_temp.events_id_seq')")
        log.insert(slow, 2)
        log.insert(log.connection)
        log.read()
        slow.commit()
    log.read()


def a_transaction_is_prepared(log: Log) -> None:
    with connect(log.url, autocommit=False) as writer:
        log.insert(writer, 2)
        try:
            writer.execute("PREPARE TRANSACTION 'a course of events'")
        except psycopg.errors.ObjectNotInPrerequisiteState:
            pytest.skip("this server prepares no transactions")
    log.insert(log.connection)
    log.read()
    log.connection.execute("COMMIT PREPARED 'a course of events'")
    log.read()


def a_commit_comes_while_settled_is_asked(log: Log) -> None:
    """The look at the fence takes its time: until a gate opens."""
    wait = "PERFORM pg_advisory_xact_lock_shared(1);\n    drawn :="
    change(log, "settled", "drawn :=", wait)
    with connect(log.url) as gate, connect(log.url) as reading:
        gate.execute("SELECT pg_advisory_lock(1)")
        reader = threading.Thread(target=log.reader.read, args=(reading,))
        reader.start()
        wait_until(lambda: waits_for_a_lock(gate, reading), "the reader asks")
        log.insert(log.connection, 2)
        gate.execute("SELECT pg_advisory_unlock(1)")
        reader.join()
    log.read()


def waits_for_a_lock(observer: Connection, connection: Connection) -> bool:
    row = observer.execute(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE pid = %s AND NOT granted)",
        (connection.info.backend_pid,),
    ).fetchone()
    return row == (True,)


class HastyReader(Reader):
    """One that saves a round trip: it asks what is settled in the reading statement."""

    def read(self, connection: Connection) -> None:
        ((up_to, ids),) = connection.execute(
            """
            WITH ask AS MATERIALIZED (SELECT public.settled() AS up_to)
            SELECT max(ask.up_to), array_agg(e.id ORDER BY e.id)
            FROM ask LEFT JOIN events AS e ON e.id > %s AND e.id <= ask.up_to
            """,
            (self.checkpoint,),
        ).fetchall()
        self.seen += [position for position in ids if position is not None]
        self.checkpoint = max(self.checkpoint, up_to)


def ask_in_the_statement_that_reads(log: Log) -> None:
    log.reader = HastyReader(log.url)


def disable_the_trigger(log: Log) -> None:
    log.connection.execute("ALTER TABLE events DISABLE TRIGGER events_hold_fence")


def let_sessions_keep_ids(log: Log) -> None:
    log.connection.execute("ALTER TABLE events ALTER COLUMN id SET CACHE 10")


def take_a_fresh_sequence_for_one(log: Log) -> None:
    change(log, "last_drawn", "first - 1", "first")


def let_a_snapshot_last(log: Log) -> None:
    change(log, "settled", "<> 'read committed'", "= 'none'")


def name_the_sequence_without_its_schema(log: Log) -> None:
    change(log, "last_drawn", "'public.events_id_seq'", "'events_id_seq'")
    for function in ("last_drawn", "hold_fence", "settled"):
        log.connection.execute(f"ALTER FUNCTION {function}() RESET search_path")


def ask_for_the_processes_of_locks(log: Log) -> None:
    change(
        log,
        "settled",
        "FROM pg_locks\n",
        "FROM pg_locks JOIN pg_stat_activity AS a USING (pid)\n",
    )


def make_the_log_of_partitions(log: Log) -> None:
    if log.connection.info.server_version < 170000:
        pytest.skip("an identity column makes no partitions before PostgreSQL 17")
    log.connection.execute(
        """
        DROP TABLE events CASCADE;
        CREATE TABLE events (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            stream_id varchar, type varchar, version integer,
            data jsonb, metadata jsonb, occurred_at timestamptz
        ) PARTITION BY RANGE (id);
        CREATE TABLE events_first PARTITION OF events FOR VALUES FROM (1) TO (1000);
        """
    )
    log.connection.execute(source("hold_fence").encode())
    log.table = "events_first"


def change(log: Log, function: str, before: str, after: str) -> None:
    """Replace one of the engine's functions by one that lacks something."""
    text = source(function)
    assert before in text
    log.connection.execute(text.replace(before, after).encode())


Course = Callable[[Log], None]

PROTECTIONS: dict[str, tuple[Course, Course]] = {
    "the trigger": (a_writer_commits_late, disable_the_trigger),
    "a cache of one": (two_sessions_take_turns, let_sessions_keep_ids),
    "a fresh sequence has drawn nothing": (
        the_first_event_of_a_log_comes_after_a_reader,
        take_a_fresh_sequence_for_one,
    ),
    "a statement of its own": (
        a_commit_comes_while_settled_is_asked,
        ask_in_the_statement_that_reads,
    ),
    "no snapshot longer than a statement": (
        a_commit_comes_behind_one_that_lasts,
        let_a_snapshot_last,
    ),
    "names with their schema": (
        a_writer_has_a_sequence_of_the_same_name,
        name_the_sequence_without_its_schema,
    ),
    "locks without a process count": (
        a_transaction_is_prepared,
        ask_for_the_processes_of_locks,
    ),
    "no partitions": (a_writer_commits_late, make_the_log_of_partitions),
}
COURSES = dict.fromkeys(
    [course for course, _ in PROTECTIONS.values()] + [a_commit_comes_behind_a_snapshot]
)


@pytest.fixture
def log(database: str) -> Iterator[Log]:
    with connect(database) as connection:
        yield Log(database, connection, Reader(database))


@pytest.mark.parametrize("course", COURSES)
def test_with_all_its_protections_nothing_is_missed(course: Course, log: Log) -> None:
    course(log)

    assert log.missed == 0
    assert log.reader.seen == committed_ids(log.connection)
    assert log.reader.seen


@pytest.mark.parametrize("protection", PROTECTIONS)
def test_without_one_of_them_events_are_missed(protection: str, log: Log) -> None:
    course, take_away = PROTECTIONS[protection]
    take_away(log)
    course(log)

    print(f"without {protection}: missed {log.missed}")
    assert log.missed > 0
