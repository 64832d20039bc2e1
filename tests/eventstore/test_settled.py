"""The fence: no reader may pass an event that is still under way."""

from typing import Any

import psycopg
import pytest
from psycopg import IsolationLevel

from eventstore.log.read import settled
from tests.support.engine import Engine


def insert(connection: psycopg.Connection[Any], stream_id: str) -> None:
    """Insert an event as somebody who has never heard of the fence."""
    connection.execute(
        """
        INSERT INTO events (stream_id, type, version, data, metadata, occurred_at)
        VALUES (%s, 'Added', 1, '{}', '{}', now())
        """,
        (stream_id,),
    )


def overtaken_writer(engine: Engine) -> psycopg.Connection[Any]:
    """Return a connection with an event under way, behind which one is committed."""
    slow = engine.connect(autocommit=False)
    insert(slow, "counter-slow")
    engine.append("counter-later", 1, expected=0)
    return slow


def test_nothing_is_settled_in_a_fresh_log(
    connection: psycopg.Connection[Any],
) -> None:
    assert settled(connection) == 0


def test_what_is_committed_is_settled(engine: Engine) -> None:
    engine.append("counter-clock", 1, 2, 3, expected=0)

    assert settled(engine.connection) == 3


def test_an_event_under_way_holds_back_those_after_it(engine: Engine) -> None:
    engine.append("counter-first", 1, expected=0)
    insert(engine.connect(autocommit=False), "counter-slow")
    engine.append("counter-later", 1, expected=0)

    assert settled(engine.connection) == 1


def test_the_slowest_of_several_writers_counts(engine: Engine) -> None:
    insert(engine.connect(autocommit=False), "counter-slowest")
    engine.append("counter-first", 1, expected=0)
    insert(engine.connect(autocommit=False), "counter-slow")

    assert settled(engine.connection) == 0


def test_an_event_under_way_is_settled_when_it_is_committed(engine: Engine) -> None:
    slow = overtaken_writer(engine)
    slow.commit()

    assert settled(engine.connection) == 2


def test_what_is_rolled_back_holds_nothing_back(engine: Engine) -> None:
    slow = overtaken_writer(engine)
    slow.rollback()

    assert settled(engine.connection) == 2


def test_a_writer_that_is_killed_holds_nothing_back(engine: Engine) -> None:
    slow = overtaken_writer(engine)
    engine.connection.execute(
        "SELECT pg_terminate_backend(%s, 10000)", (slow.info.backend_pid,)
    )

    assert settled(engine.connection) == 2


def test_a_transaction_that_writes_no_event_holds_nothing_back(
    engine: Engine,
) -> None:
    unrelated = engine.connect(autocommit=False)
    unrelated.execute("INSERT INTO signals VALUES ('unrelated')")
    engine.append("counter-clock", 1, expected=0)

    assert settled(engine.connection) == 1


def test_a_writer_in_another_database_holds_nothing_back(
    engine: Engine, databases: Any
) -> None:
    engine.append("counter-clock", 1, expected=0)
    with psycopg.connect(
        databases.url.set(drivername="postgresql").render_as_string(False)
    ) as elsewhere:
        elsewhere.execute(
            "SELECT pg_advisory_xact_lock_shared(%s)", (fence_key(engine),)
        )
        seen = settled(engine.connection)
    elsewhere.close()

    assert seen == 1


def fence_key(engine: Engine) -> int:
    """Return the key under which a writer holds the floor 0."""
    ((key,),) = engine.connection.execute("SELECT public.lock_key(0, 0)").fetchall()
    assert isinstance(key, int)
    return key


def test_a_stream_that_is_drained_is_no_floor(engine: Engine) -> None:
    engine.append("counter-clock", 1, expected=0)
    engine.connect().execute("SELECT pg_advisory_lock(public.lock_key(2, 0))")

    assert settled(engine.connection) == 1


def test_a_writer_in_a_session_that_plays_replica_holds_back_too(
    engine: Engine,
) -> None:
    replica = engine.connect(autocommit=False)
    replica.execute("SET LOCAL session_replication_role = replica")
    insert(replica, "counter-slow")

    assert settled(engine.connection) == 0


def test_a_prepared_transaction_holds_back_without_a_process(engine: Engine) -> None:
    ((most,),) = engine.connection.execute(
        "SELECT current_setting('max_prepared_transactions')::int"
    ).fetchall()
    if most == 0:
        pytest.skip("this server prepares no transactions: max_prepared_transactions=0")
    writer = engine.connect(autocommit=False)
    insert(writer, "counter-slow")
    writer.execute("PREPARE TRANSACTION 'slow'")
    writer.close()
    engine.append("counter-later", 1, expected=0)

    seen = settled(engine.connection)
    engine.connection.execute("ROLLBACK PREPARED 'slow'")

    assert seen == 0


@pytest.mark.parametrize(
    "level", [IsolationLevel.REPEATABLE_READ, IsolationLevel.SERIALIZABLE]
)
def test_one_snapshot_for_a_whole_transaction_is_refused(
    level: IsolationLevel, engine: Engine
) -> None:
    connection = engine.connect(autocommit=False)
    connection.isolation_level = level

    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="READ COMM"):
        settled(connection)


def test_a_temporary_sequence_of_the_same_name_fools_nobody(engine: Engine) -> None:
    engine.append("counter-clock", 1, 2, expected=0)
    engine.connection.execute("CREATE TEMPORARY SEQUENCE events_id_seq START 700")

    assert settled(engine.connection) == 2


def test_the_sequence_keeps_no_ids_back(connection: psycopg.Connection[Any]) -> None:
    """A session with ids in store would draw below its own floor."""
    ((cached,),) = connection.execute(
        "SELECT cache_size FROM pg_sequences WHERE sequencename = 'events_id_seq'"
    ).fetchall()

    assert cached == 1
