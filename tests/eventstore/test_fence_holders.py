"""Who holds the fence: whoever may still bring in an event can be asked for."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from eventstore.log.fence import find_holders
from eventstore.log.read import settled
from tests.support.engine import Engine, connect
from tests.support.fence import INSERT


def insert(connection: psycopg.Connection[Any], stream_id: str) -> None:
    connection.execute(INSERT, (stream_id, 1))


@pytest.fixture
def slow(engine: Engine) -> psycopg.Connection[Any]:
    """A writer that has begun at position 3, and somebody who was faster since."""
    engine.append("counter-clock", 1, 2, 3, expected=0)
    slow = engine.connect(autocommit=False)
    slow.execute("SET LOCAL application_name = 'a slow writer'")
    insert(slow, "counter-slow")
    engine.append("counter-clock", 4, expected=3)
    return slow


@pytest.fixture
def prepared(engine: Engine) -> Iterator[str]:
    """A prepared transaction that has one event."""
    writer = engine.connect(autocommit=False)
    insert(writer, "counter-prepared")
    try:
        writer.execute("PREPARE TRANSACTION 'half a transfer'")
    except psycopg.errors.ObjectNotInPrerequisiteState:
        pytest.skip("this server prepares no transactions: max_prepared_transactions=0")
    writer.close()
    yield "half a transfer"
    engine.connection.execute("ROLLBACK PREPARED 'half a transfer'")


def test_nobody_holds_the_fence_of_a_log_at_rest(engine: Engine) -> None:
    engine.append("counter-clock", 1, expected=0)

    assert find_holders(engine.connection) == []


def test_a_writer_is_told_with_who_it_is_and_what_it_holds_back(
    engine: Engine, slow: psycopg.Connection[Any]
) -> None:
    (holder,) = find_holders(engine.connection)

    assert holder.pid == slow.info.backend_pid
    assert (holder.floor, holder.positions) == (3, 2)
    assert holder.application_name == "a slow writer"
    assert holder.state == "idle in transaction"
    assert holder.user == slow.info.user
    assert holder.seconds is not None
    assert 0 <= holder.seconds < 60
    assert holder.gid is None


def test_the_first_told_is_the_one_that_settled_waits_for(
    engine: Engine, slow: psycopg.Connection[Any]
) -> None:
    insert(engine.connect(autocommit=False), "counter-later")

    floors = [holder.floor for holder in find_holders(engine.connection)]

    assert floors == [3, 5]
    assert settled(engine.connection) == 3


def test_a_transaction_of_many_floors_is_told_once_with_the_smallest(
    engine: Engine, slow: psycopg.Connection[Any]
) -> None:
    insert(slow, "counter-slower")

    assert [holder.floor for holder in find_holders(engine.connection)] == [3]


def test_a_prepared_transaction_is_told_by_its_gid(
    engine: Engine, prepared: str
) -> None:
    (holder,) = find_holders(engine.connection)

    assert (holder.gid, holder.pid) == (prepared, None)
    assert (holder.state, holder.user) == ("prepared", engine.connection.info.user)
    assert holder.seconds is not None


def test_a_session_that_holds_a_floor_outside_of_a_transaction_is_told(
    engine: Engine,
) -> None:
    intruder = engine.connect()
    intruder.execute("SELECT pg_advisory_lock(public.lock_key(0, 0))")

    (holder,) = find_holders(engine.connection)

    assert (holder.pid, holder.state) == (intruder.info.backend_pid, "idle")
    assert holder.seconds is not None


def test_what_a_role_may_not_see_is_left_out_and_the_rest_is_told(
    engine: Engine, slow: psycopg.Connection[Any]
) -> None:
    """Without pg_read_all_stats a session of somebody else shows no times."""
    with engine.connect(autocommit=False) as stranger:
        stranger.execute("CREATE ROLE fence_stranger")
        for function in ("fence_holders()", "last_drawn()", "lock_key(int, bigint)"):
            stranger.execute(f"GRANT EXECUTE ON FUNCTION {function} TO fence_stranger")
        stranger.execute("SET LOCAL ROLE fence_stranger")
        (holder,) = find_holders(stranger)
        stranger.rollback()

    assert holder.pid == slow.info.backend_pid
    assert (holder.since, holder.seconds, holder.state) == (None, None, None)


def test_a_writer_in_another_database_is_not_told(
    engine: Engine, database: str
) -> None:
    with connect(database, autocommit=False) as elsewhere:
        insert(elsewhere, "counter-elsewhere")

        assert find_holders(engine.connection) == []
