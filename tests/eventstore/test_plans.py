"""
What taking and appending one command read, however many others there are.

Counted are the rows that the statements touch, not the time they need: it is the same
on every machine, and tells at once when a plan walks through what it could reach by
key.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest

from eventstore.access.senders import Sender
from eventstore.aggregates.loading import load
from eventstore.journal.completion import Completion, append_and_complete
from eventstore.journal.preview import preview_command
from eventstore.journal.runner import Limits, Runner
from eventstore.journal.take import find_waiting, give_back, release, take, take_ahead
from eventstore.subscriptions.snapshot_taker import SnapshotPolicy, snapshot_taker
from tests.support.databases import Databases
from tests.support.engine import COUNTERS, Add, Engine, added, open_engine
from tests.support.snapshots import keep_snapshot

FINISHED = 20_000
FEW = 40
"""More rows than one command needs, and far fewer than a walk."""

STREAM_OF_WAITING = {
    "none": ("'counter-clock'", 0),
    "5,000 in the stream": ("'counter-clock'", 5_000),
    "5,000 in others": ("'counter-' || n", 5_000),
}


@pytest.fixture(scope="module")
def long_past(databases: Databases) -> Iterator[Engine]:
    """An engine with twenty thousand finished commands and as many events."""
    with databases.lend() as url, closing(open_engine(url)) as engine:
        engine.connection.execute(
            f"""
            ALTER TABLE commands SET (autovacuum_enabled = off);
            ALTER TABLE events SET (autovacuum_enabled = off);
            ALTER TABLE snapshots SET (autovacuum_enabled = off);
            INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
            SELECT 'counter-' || n, 'Added', 1, '{{"amount": 1}}', '{{}}', now()
            FROM generate_series(1, {FINISHED}) AS n;
            INSERT INTO commands
                (id, stream_id, type, data, metadata, principal, fingerprint, status)
            SELECT
                gen_random_uuid(), 'counter-' || n, 'Add', '{{}}', '{{}}', 'alice', '',
                'succeeded'
            FROM generate_series(1, {FINISHED}) AS n;
            INSERT INTO snapshots (stream_id, version, state, fingerprint, checksum)
            SELECT 'counter-' || n, 1, '{{"total": 1}}', '', ''
            FROM generate_series(1, {FINISHED}) AS n;
            """
        )
        yield engine


@pytest.fixture(params=["no figures", "figures before", "figures after"])
def figures(request: pytest.FixtureRequest) -> str:
    """When the planner got its figures: never, before the others waited, or after."""
    return str(request.param)


@pytest.fixture(params=STREAM_OF_WAITING)
def journal(
    figures: str, long_past: Engine, request: pytest.FixtureRequest
) -> Iterator[Engine]:
    """The engine, in a transaction in which one command waits, and others behind it."""
    stream, number = STREAM_OF_WAITING[request.param]
    connection = long_past.connection
    with connection.transaction(force_rollback=True):
        if figures == "figures before":
            connection.execute("ANALYZE commands, events, snapshots")
        long_past.accept(Add(counter_id="clock"), key="clock")
        connection.execute(
            f"""
            INSERT INTO commands
                (id, stream_id, type, data, metadata, principal, fingerprint)
            SELECT
                gen_random_uuid(), {stream}, 'Add', '{{}}', '{{}}', 'alice', ''
            FROM generate_series(1, {number}) AS n
            """
        )
        if figures == "figures after":
            connection.execute("ANALYZE commands, events, snapshots")
        yield long_past
        # The locks of a session outlive its transactions.
        connection.execute("SELECT pg_advisory_unlock_all()")


def rows_touched(
    connection: psycopg.Connection[Any], work: Callable[[], object]
) -> int:
    """
    Return how many rows *work* reads, by whatever scan.

    It is done eight times and the last one counts: by then PL/pgSQL has made the plans
    that it keeps.
    """
    rows = 0
    for _ in range(8):
        before = all_rows_touched(connection)
        with connection.transaction(force_rollback=True):
            work()
        rows = all_rows_touched(connection) - before
    return rows


def all_rows_touched(connection: psycopg.Connection[Any]) -> int:
    ((rows,),) = connection.execute(
        """
        SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))
        FROM pg_stat_xact_user_tables
        """
    ).fetchall()
    return int(rows)


def waiting_command(journal: Engine) -> UUID:
    return journal.accept(Add(counter_id="clock"), key="clock")


def test_a_walk_is_seen(journal: Engine) -> None:
    def walk() -> None:
        journal.connection.execute("SELECT FROM commands WHERE principal = 'nobody'")

    assert rows_touched(journal.connection, walk) > FINISHED


ONE_AT_A_TIME = Runner(deciders=COUNTERS, name="worker", limits=Limits(commands=1))


def take_one(journal: Engine, command_id: UUID) -> None:
    take(journal.connection, command_id, ONE_AT_A_TIME)


def test_taking_one_command_reads_a_few_rows(journal: Engine) -> None:
    command_id = waiting_command(journal)
    work = partial(take_one, journal, command_id)

    assert rows_touched(journal.connection, work) < FEW


def test_a_preview_reads_a_few_rows_and_counts_those_that_wait(
    journal: Engine,
) -> None:
    def look() -> None:
        previewed.append(
            preview_command(
                journal.connection,
                Add(counter_id="lamp"),
                ONE_AT_A_TIME,
                Sender("local", []),
            ).waiting
        )

    previewed: list[int] = []

    assert rows_touched(journal.connection, look) < FEW
    assert set(previewed) == {0}


def test_taking_what_is_behind_it_along_reads_a_few_rows_of_each(
    journal: Engine,
) -> None:
    command_id = waiting_command(journal)

    def take_along() -> None:
        take_ahead(journal.connection, command_id, ONE_AT_A_TIME, ahead=10)

    assert rows_touched(journal.connection, take_along) < FEW * 11


def lengthen(journal: Engine) -> None:
    """Give the clock a thousand events, and a snapshot ten before its head."""
    journal.append("counter-clock", *[0] * 1000, expected=0)
    keep_snapshot(journal.connection, COUNTERS, "counter-clock", 990)


def test_taking_a_long_stream_reads_what_is_behind_its_snapshot(
    journal: Engine,
) -> None:
    lengthen(journal)
    command_id = waiting_command(journal)
    work = partial(take_one, journal, command_id)

    assert rows_touched(journal.connection, work) < FEW


def test_loading_a_long_stream_reads_what_is_behind_its_snapshot(
    journal: Engine,
) -> None:
    lengthen(journal)

    def load_one() -> None:
        load(journal.connection, ["counter-clock"], COUNTERS)

    assert rows_touched(journal.connection, load_one) < FEW


def test_looking_for_streams_to_take_a_snapshot_of_reads_a_few_rows(
    journal: Engine,
) -> None:
    lengthen(journal)
    taker = snapshot_taker(COUNTERS, policy=SnapshotPolicy(10))
    last = journal.stream("counter-clock")[-1:]

    def take_snapshots() -> None:
        taker.handler(journal.connection, last)

    assert 0 < rows_touched(journal.connection, take_snapshots) < FEW


def test_appending_for_one_command_reads_a_few_rows(journal: Engine) -> None:
    command_id = waiting_command(journal)

    def append_one() -> None:
        append_and_complete(
            journal.connection,
            [("counter-clock", added(1, command_id=command_id))],
            expected={"counter-clock": 0},
            completing=[Completion(command_id=command_id, status="succeeded")],
        )

    assert rows_touched(journal.connection, append_one) < FEW


def test_accepting_the_same_again_reads_a_few_rows(journal: Engine) -> None:
    assert rows_touched(journal.connection, lambda: waiting_command(journal)) < FEW


def test_giving_one_command_back_reads_a_few_rows(journal: Engine) -> None:
    command_id = waiting_command(journal)

    def give_one_back() -> None:
        give_back(
            journal.connection, [command_id], incident="x", detail={}, must_wait=True
        )

    assert rows_touched(journal.connection, give_one_back) < FEW


def test_letting_go_of_a_stream_reads_a_few_rows(journal: Engine) -> None:
    def let_go() -> None:
        # One does not let go of what one does not hold.
        journal.connection.execute(
            """
            SELECT pg_advisory_lock(
                public.lock_key(2, hashtextextended('counter-clock', 0))
            )
            """
        )
        release(journal.connection, "counter-clock")

    assert rows_touched(journal.connection, let_go) < FEW


def test_looking_for_ten_streams_that_wait_reads_a_few_rows(journal: Engine) -> None:
    def look() -> None:
        find_waiting(journal.connection, patience=0, most=10)

    assert rows_touched(journal.connection, look) < FEW


def test_what_is_due_next_month_is_no_work_for_who_looks_for_work(
    journal: Engine,
) -> None:
    journal.connection.execute(
        """
        INSERT INTO commands
            (id, stream_id, type, data, metadata, principal, fingerprint, not_before)
        SELECT
            gen_random_uuid(), 'counter-a' || n, 'Add', '{}', '{}', 'process:x', '',
            now() + interval '1 month'
        FROM generate_series(1, 2000) AS n
        """
    )

    def look() -> None:
        find_waiting(journal.connection, patience=0, most=10)

    assert rows_touched(journal.connection, look) < FEW
